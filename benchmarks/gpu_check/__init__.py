"""Checks that all parts of the plugin work on a GPU and give the CPU's results."""

import mmdet_cleargrasp  # noqa: F401  provides mmcv's operators, before any check imports mmcv
