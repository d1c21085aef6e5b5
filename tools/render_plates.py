"""Render transparent plates with exact ground truth."""

from mmdet_cleargrasp.cli.render_plates import main

if __name__ == '__main__':
    raise SystemExit(main())
