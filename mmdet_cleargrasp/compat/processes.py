"""Distributed training without a GPU, and several Slurm jobs on one node.

mmengine's ``init_dist`` and ``Runner`` set a CUDA device for each process, whatever the backend,
and its Slurm launcher uses port 29500 for every job. Unnecessary once mmengine checks
``torch.cuda.is_available()`` first and derives the port from the job.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from ..utils.errors import ConfigError

if TYPE_CHECKING:
    from mmengine.config import Config

#: Ports for jobs, below the ephemeral ports that Linux assigns to client connections.
FIRST_PORT, PORTS = 20_000, 10_000


def prepare_cpu_training(cfg: Config) -> None:
    """Prepare distributed training on CPUs; does nothing on a machine with a GPU.

    Initializes a gloo process group from the environment variables of ``torchrun``, unless there is
    a process group, and sets ``model_wrapper_cfg``, unless the config has it.

    Args:
        cfg: Config of the run, modified in place.
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
    """Set the environment variables of ``torchrun`` from those of ``srun``.

    These are ``RANK``, ``WORLD_SIZE`` and ``LOCAL_RANK``, and, unless they are set, ``MASTER_ADDR``
    and ``MASTER_PORT`` (derived from the job id).

    Raises:
        ConfigError: Variables of ``srun`` are missing or malformed.
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
        # A step may run on a subset of the nodes of its job.
        nodes = os.environ.get('SLURM_STEP_NODELIST') or os.environ['SLURM_NODELIST']
        hosts = ['scontrol', 'show', 'hostnames', nodes]
        os.environ['MASTER_ADDR'] = subprocess.check_output(hosts, text=True).split()[0]
    for name, value in (('RANK', 'PROCID'), ('WORLD_SIZE', 'NTASKS'), ('LOCAL_RANK', 'LOCALID')):
        os.environ[name] = os.environ[f'SLURM_{value}']
