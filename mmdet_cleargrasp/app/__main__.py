"""Lets ``python -m mmdet_cleargrasp.app`` run ``mmdet-cleargrasp app``."""

import sys

from ..cli.app import main

if __name__ == '__main__':
    sys.argv[0] = 'python -m mmdet_cleargrasp.app'
    raise SystemExit(main())
