"""Versions, device and work dir."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path

import mmcv
import mmdet
import mmengine
import torch
import torchvision

from ...utils.findings import Finding, error, ok
from ...version import __version__
from ..mixed_precision import check_amp
from ..run_plan import RunPlan


def check_versions() -> Iterable[Finding]:
    """Name the installed versions, and where mmcv's operators come from."""
    compiled = getattr(sys.modules.get('mmcv._ext'), '__file__', None) is not None
    operators = 'compiled' if compiled else "torchvision's"
    yield ok(
        'versions',
        f'mmdet_cleargrasp {__version__}, mmdet {mmdet.__version__}, mmengine '
        f'{mmengine.__version__}, mmcv {mmcv.__version__} ({operators} operators), torch '
        f'{torch.__version__}, torchvision {torchvision.__version__}, Python '
        f'{platform.python_version()}',
    )


def check_device(plan: RunPlan) -> Iterable[Finding]:
    """Name the device, and refuse a precision that it does not support."""
    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        yield ok('device', f'{count} GPU(s), the first is {torch.cuda.get_device_name(0)}')
    else:
        yield ok('device', f'CPU with {torch.get_num_threads()} threads')
    yield from check_amp(plan.cfg)


def check_work_dir(plan: RunPlan) -> Iterable[Finding]:
    """Check that the work dir can be written to."""
    folder = Path(plan.work_dir).absolute()
    try:
        existing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
        writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    except (OSError, ValueError) as reason:
        yield error('work dir', f'{folder} cannot be used ({reason}); use --work-dir')
        return
    if not writable:
        yield error('work dir', f'{existing} is not a folder that you may write to; use --work-dir')
    else:
        yield ok('work dir', f'{plan.work_dir}')
