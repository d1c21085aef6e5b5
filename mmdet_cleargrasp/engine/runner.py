"""Building mmengine's runner, on one process or many."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from ..checkpoints.reading import load_from_local
from ..compat.checkpoint_reading import local_checkpoints_read_by
from ..compat.cpu_memory import keep_freed_memory
from ..compat.cpu_processes import train_on_cpu_processes
from ..compat.file_writing import local_files_written_whole
from ..utils.errors import ConfigError

# What torchrun, Slurm and Open MPI tell each process; mmengine reads them when the runner is built.
RANK_VARIABLES = ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK')
WORLD_SIZE_VARIABLES = ('WORLD_SIZE', 'SLURM_NTASKS', 'OMPI_COMM_WORLD_SIZE')


@contextlib.contextmanager
def safe_files() -> Iterator[None]:
    """Within it, mmengine reads checkpoints safely and writes files whole; also a decorator.

    Outside, mmengine is as it was: the package may be part of someone else's program.
    """
    with local_checkpoints_read_by(load_from_local), local_files_written_whole():
        yield


def build_runner(cfg: Config) -> Runner:
    """Build the runner that a config describes.

    Args:
        cfg: From :func:`.load_config`.

    Raises:
        ConfigError: torchrun's launcher is asked for, but torchrun did not start this process.
    """
    if cfg.launcher == 'pytorch':
        if 'RANK' not in os.environ:
            raise ConfigError(
                '--launcher pytorch is for processes that torchrun started: '
                'torchrun --nproc_per_node=GPUS tools/train.py CONFIG --launcher pytorch'
            )
        train_on_cpu_processes(cfg)
    if get_device() == 'cpu':
        keep_freed_memory()
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)


def rank(launcher: str) -> int:
    """This process's number among those of the run, from 0 on, before the runner is built."""
    return _from_environment(RANK_VARIABLES, 0) if launcher != 'none' else 0


def world_size(launcher: str) -> int:
    """The number of the run's processes, before the runner is built."""
    return _from_environment(WORLD_SIZE_VARIABLES, 1) if launcher != 'none' else 1


def _from_environment(names: tuple[str, ...], default: int) -> int:
    return int(next((os.environ[name] for name in names if name in os.environ), default))
