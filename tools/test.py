"""Test a detector: mAP, and precision, recall and F1 of its answers; charts and pictures."""

from mmdet_cleargrasp.cli.test import main

if __name__ == '__main__':
    raise SystemExit(main())
