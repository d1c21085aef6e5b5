"""Test a detector: mAP overall, by size and by class, PR curves and confusion matrix."""

from mmdet_cleargrasp.cli.test import main

if __name__ == '__main__':
    raise SystemExit(main())
