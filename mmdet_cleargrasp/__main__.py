"""``python -m mmdet_cleargrasp TOOL …``, the same as ``mmdet-cleargrasp TOOL …``."""

from .cli.dispatch import main

if __name__ == '__main__':
    raise SystemExit(main())
