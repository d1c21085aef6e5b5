"""Write a trained detector as a small file to share."""

from mmdet_cleargrasp.cli.publish_detector import main

if __name__ == '__main__':
    raise SystemExit(main())
