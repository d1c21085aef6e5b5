"""Draw what a pretrained network sees in photographs: mask, outlines and surface normals."""

from mmdet_cleargrasp.cli.draw_pretraining import main

if __name__ == '__main__':
    raise SystemExit(main())
