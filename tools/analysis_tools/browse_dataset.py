"""Draw contact sheets of a data set: boxes as annotated, and after the config's augmentation."""

from mmdet_cleargrasp.cli.browse_dataset import main

if __name__ == '__main__':
    raise SystemExit(main())
