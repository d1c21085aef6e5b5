"""Train and test arms x seeds x fractions of the data, as a spec says; run it again to go on."""

from mmdet_cleargrasp.cli.run_experiment import main

if __name__ == '__main__':
    raise SystemExit(main())
