"""Show what a backbone file is, and write the plain backbone."""

from mmdet_cleargrasp.cli.extract_backbone import main

if __name__ == '__main__':
    raise SystemExit(main())
