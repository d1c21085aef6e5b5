"""Compare tested runs: figures, differences with intervals, and a report as one HTML page."""

from mmdet_cleargrasp.cli.compare_runs import main

if __name__ == '__main__':
    raise SystemExit(main())
