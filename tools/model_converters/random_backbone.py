"""Write a ClearGrasp ResNet of random weights: the control of a comparison."""

from mmdet_cleargrasp.cli.random_backbone import main

if __name__ == '__main__':
    raise SystemExit(main())
