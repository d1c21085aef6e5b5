"""Draw a tiny data set of plates, to try the tools on."""

from mmdet_cleargrasp.cli.draw_toy_plates import main

if __name__ == '__main__':
    raise SystemExit(main())
