"""Train a detector."""

from mmdet_cleargrasp.cli.train import main

if __name__ == '__main__':
    raise SystemExit(main())
