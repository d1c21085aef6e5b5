"""Export a whole detector to ONNX, and compare it with torch on images."""

from mmdet_cleargrasp.cli.export import main

if __name__ == '__main__':
    raise SystemExit(main())
