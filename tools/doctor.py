"""Check a run without starting it: versions, device, data, classes, backbone file, strides."""

from mmdet_cleargrasp.cli.doctor import main

if __name__ == '__main__':
    raise SystemExit(main())
