"""Pretrain a backbone on mask, outlines and surface normals of transparent objects."""

from mmdet_cleargrasp.cli.pretrain import main

if __name__ == '__main__':
    raise SystemExit(main())
