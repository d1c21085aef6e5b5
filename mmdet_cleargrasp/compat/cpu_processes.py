"""mmengine's ``init_dist`` and ``Runner`` pick a CUDA device for each process of any backend.

Unnecessary once mmengine asks ``torch.cuda.is_available()`` first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmengine.config import Config


def train_on_cpu_processes(cfg: Config) -> None:
    """Allow distributed training with torchrun on a machine without GPU.

    A process group that exists already is left alone, and so is a wrapper that the config names.

    Args:
        cfg: Of the run; is changed.
    """
    import torch

    if torch.cuda.is_available():
        return
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    wrapper = dict(
        type='MMDistributedDataParallel',
        device_ids=None,
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    cfg.setdefault('model_wrapper_cfg', wrapper)
