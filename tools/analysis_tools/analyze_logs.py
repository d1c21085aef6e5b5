"""Plot curves of runs, or their training times, from work dirs or JSON logs."""

from mmdet_cleargrasp.cli.analyze_logs import main

if __name__ == '__main__':
    raise SystemExit(main())
