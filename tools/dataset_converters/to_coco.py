"""Convert a data set of another format into the COCO layout that training reads."""

from mmdet_cleargrasp.cli.to_coco import main

if __name__ == '__main__':
    raise SystemExit(main())
