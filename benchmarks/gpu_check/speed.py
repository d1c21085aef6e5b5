"""A short benchmark of this plugin, torchvision and MMDetection."""

from __future__ import annotations

import torch

from ..groups import OURS
from ..options import Options
from ..running import run_benchmark
from .running import Setting


def benchmark(setting: Setting, _: str = '') -> str:
    """Time training steps and predictions; ratios above 1 mean that this plugin is faster."""
    options = Options(
        data_root=setting.data_root,
        groups=('frcnn_r50',),
        works=('train step', 'predict'),
        size=setting.size,
        batch_size=setting.batch_size,
        rounds=5 if setting.on_gpu else 1,
        files=1,
        workers=0,
        threads=torch.get_num_threads(),
        device=setting.device,
        seed=0,
    )
    (results,) = run_benchmark(options, lambda what: None)
    return ', '.join(
        f'{timing.work} {timing.median * 1e3:.0f} ms'
        if timing.system == OURS
        else f'{timing.system} {timing.ratio:.2f} times as long'
        for timing in results.timings
    )
