"""Distributed runs without a GPU, and several of them on one node of a Slurm cluster.

mmengine's ``init_dist`` and ``Runner`` pick a CUDA device for each process of any backend, and its
Slurm launcher lets the processes of every job meet at port 29500. Unnecessary once mmengine asks
``torch.cuda.is_available()`` first, and chooses a port by the job.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from ..utils.errors import ConfigError

if TYPE_CHECKING:
    from mmengine.config import Config

#: Ports for jobs, below those that systems give to clients.
FIRST_PORT, PORTS = 20_000, 10_000


def train_on_cpu_processes(cfg: Config) -> None:
    """Allow distributed training on a machine without GPU, by torchrun's variables.

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


def use_slurm_variables() -> None:
    """Set torchrun's variables from those that ``srun`` sets, with a port of the job's own.

    ``MASTER_ADDR`` and ``MASTER_PORT`` are left as they are where they are set.
    """
    try:
        _set_variables()
    except (KeyError, ValueError, IndexError, subprocess.CalledProcessError) as error:
        raise ConfigError(
            f"srun's variables in the environment are incomplete ({type(error).__name__}: {error})."
            ' Start by tools/slurm_train.sh, or without --launcher slurm'
        ) from error


def _set_variables() -> None:
    job, step = int(os.environ['SLURM_JOB_ID']), int(os.environ.get('SLURM_STEP_ID', 0))
    os.environ.setdefault('MASTER_PORT', str(FIRST_PORT + (4 * job + step) % PORTS))
    if 'MASTER_ADDR' not in os.environ:
        # The step's: a step may run on some nodes of its job.
        nodes = os.environ.get('SLURM_STEP_NODELIST') or os.environ['SLURM_NODELIST']
        hosts = ['scontrol', 'show', 'hostnames', nodes]
        os.environ['MASTER_ADDR'] = subprocess.check_output(hosts, text=True).split()[0]
    for name, value in (('RANK', 'PROCID'), ('WORLD_SIZE', 'NTASKS'), ('LOCAL_RANK', 'LOCALID')):
        os.environ[name] = os.environ[f'SLURM_{value}']
