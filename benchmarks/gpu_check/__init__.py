"""Everything that the plugin does, done once on a GPU and compared with the CPU."""

import mmdet_cleargrasp  # noqa: F401  provides mmcv's operators, before any check imports mmcv
