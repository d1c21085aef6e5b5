"""Find plates in photographs, scans and videos: tables, COCO's JSON, overlays, crops."""

from mmdet_cleargrasp.cli.infer import main

if __name__ == '__main__':
    raise SystemExit(main())
