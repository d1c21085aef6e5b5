"""Building mmengine's runner, on one process or many."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import MMLogger
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from ..checkpoints.reading import load_from_local
from ..compat.checkpoint_reading import read_local_checkpoints_with
from ..compat.cpu_memory import keep_freed_memory
from ..compat.file_writing import write_local_files_atomically
from ..compat.processes import prepare_cpu_training, use_slurm_variables
from ..utils.errors import ConfigError
from ..utils.locks import lock_folder
from ..utils.text_files import is_digits
from .config_errors import as_config_error
from .console import quiet, quiet_logger

# Rank variables of torchrun, Slurm and Open MPI; mmengine reads them when it builds the runner.
RANK_VARIABLES = ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK')
WORLD_SIZE_VARIABLES = ('WORLD_SIZE', 'SLURM_NTASKS', 'OMPI_COMM_WORLD_SIZE')
#: Another file than the lock of an experiment, which starts a training in a folder that it holds.
LOCK_FILE = '.run.lock'


@contextlib.contextmanager
def safe_files() -> Iterator[None]:
    """Within it, mmengine reads checkpoints safely and writes files whole; also a decorator.

    Outside, mmengine is as it was: the package may be part of someone else's program.
    """
    with read_local_checkpoints_with(load_from_local), write_local_files_atomically():
        yield


class CheckingRunner(Runner):
    """mmengine's runner with messages for config values that cannot be built."""

    def build_train_loop(self, loop: Any) -> Any:
        """Build the training loop and its data; see ``mmengine.runner.Runner``."""
        with as_config_error('the training loop cannot be built'):
            return super().build_train_loop(loop)

    def build_val_loop(self, loop: Any) -> Any:
        """Build the validation loop, its data and evaluator; see ``mmengine.runner.Runner``."""
        with as_config_error('the validation loop cannot be built'):
            return super().build_val_loop(loop)

    def build_test_loop(self, loop: Any) -> Any:
        """Build the test loop, its data and evaluator; see ``mmengine.runner.Runner``."""
        with as_config_error('the test loop cannot be built'):
            return super().build_test_loop(loop)

    def build_optim_wrapper(self, optim_wrapper: Any) -> Any:
        """Build the optimizer; see ``mmengine.runner.Runner``."""
        with as_config_error('the optimizer cannot be built'):
            return super().build_optim_wrapper(optim_wrapper)

    def build_param_scheduler(self, scheduler: Any) -> Any:
        """Build the learning rate schedule; see ``mmengine.runner.Runner``."""
        with as_config_error('the learning rate schedule cannot be built'):
            return super().build_param_scheduler(scheduler)

    def _log_env(self, env_cfg: dict[str, Any]) -> None:
        """Log versions, without the line of a shell that does not find a C compiler."""
        with _children_without_stderr():
            super()._log_env(env_cfg)


@contextlib.contextmanager
def _children_without_stderr() -> Iterator[None]:
    """Drop what child processes write to stderr, which redirecting ``sys.stderr`` would not."""
    try:
        kept = os.dup(2)
    except OSError:  # the run was started with a closed stderr
        yield
        return
    try:
        with open(os.devnull, 'w') as null:
            os.dup2(null.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


class QuietRunner(CheckingRunner):
    """mmengine's runner, whose log goes to its file and not to the console."""

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build the logger.

        Args:
            *args: As in ``mmengine.runner.Runner``.
            **kwargs: Likewise.
        """
        logger = super().build_logger(*args, **kwargs)
        quiet_logger(logger)
        return logger


def build_runner(cfg: Config, *, verbose: bool = True) -> Runner:
    """Build the runner that a config describes.

    Args:
        cfg: From :func:`.load_config`.
        verbose: Log to the console too.

    Raises:
        ConfigError: Another launcher started this process.
    """
    _refuse_other_launcher(cfg.launcher)
    if cfg.launcher == 'slurm':
        use_slurm_variables()
    if cfg.launcher in ('pytorch', 'slurm'):
        prepare_cpu_training(cfg)
    if get_device() == 'cpu':
        keep_freed_memory()
    with quiet(verbose=verbose), as_config_error('the run cannot be set up'):
        if 'runner_type' in cfg:
            return RUNNERS.build(cfg)
        return (CheckingRunner if verbose else QuietRunner).from_cfg(cfg)


@contextlib.contextmanager
def own_folder(folder: str | Path, launcher: str) -> Iterator[None]:
    """Hold a run's folder while its processes write there; the first one holds it for all.

    Args:
        folder: Of the run's output.
        launcher: Of the run's processes.

    Raises:
        FolderInUseError: Another run has it.
    """
    with lock_folder(folder, LOCK_FILE) if rank(launcher) == 0 else contextlib.nullcontext():
        yield


def rank(launcher: str) -> int:
    """This process's number among those of the run, from 0 on, before the runner is built."""
    return _from_environment(RANK_VARIABLES, 0) if launcher != 'none' else 0


def world_size(launcher: str) -> int:
    """The number of the run's processes, before the runner is built."""
    return _from_environment(WORLD_SIZE_VARIABLES, 1) if launcher != 'none' else 1


def _refuse_other_launcher(launcher: str) -> None:
    if launcher == 'pytorch' and 'RANK' not in os.environ:
        raise ConfigError(
            '--launcher pytorch is for processes that torchrun started: '
            'torchrun --nproc_per_node=GPUS tools/train.py CONFIG --launcher pytorch'
        )
    if launcher == 'slurm' and 'SLURM_PROCID' not in os.environ:
        raise ConfigError(
            '--launcher slurm is for processes that srun started: '
            'tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR'
        )


def _from_environment(names: tuple[str, ...], default: int) -> int:
    name = next((name for name in names if name in os.environ), None)
    if name is None:
        return default
    if not is_digits(os.environ[name]):
        raise ConfigError(f'{name}={os.environ[name]!r} in the environment: expected a number')
    return int(os.environ[name])
