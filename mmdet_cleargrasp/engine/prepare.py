"""From a config file and command line options to the plan of a run; every tool starts here."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from mmengine.config import Config

from . import config_changes
from .config_data import use_data_root, use_test_split
from .config_errors import as_config_error
from .mixed_precision import enable_amp
from .resuming import resume, start_from
from .run_config import load_config
from .run_plan import RunPlan, read_plan


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Command line options that change a run; each is left to the config by default.

    Attributes:
        work_dir: Folder of the run's output.
        cfg_options: Values by dotted key that replace the config's.
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
        data_root: A data folder.
        split_dir: Folder for annotation files that have to be split or renumbered.
        test_split: Name of the split to test on.
        scale: Width and height in pixels that images are resized to fit in.
        epochs: Length of the training.
        amp: Train in mixed precision.
        auto_scale_lr: Scale the learning rate with the batch size over all processes.
        resume: Checkpoint to resume from, or ``'auto'`` for the latest in the work dir.
        checkpoint: The detector to test; without it the run is a training.
        verbose: Show the whole log on the console.
        max_minutes: Time limit that the number of epochs is fitted to.
        patience: Validations without improvement after which the training stops.
        batch_size: Images per step and process; ``'auto'`` takes the most that fit into the GPU.
        feature_cache: Folder for the feature maps of a frozen backbone; ``None`` for no cache.
    """

    work_dir: str | Path | None = None
    cfg_options: dict[str, Any] | None = None
    launcher: str = 'none'
    data_root: str | Path | None = None
    split_dir: str | Path | None = None
    test_split: str | None = None
    scale: tuple[int, int] | None = None
    epochs: int | None = None
    amp: bool = False
    auto_scale_lr: bool = False
    resume: str | None = None
    checkpoint: str | Path | None = None
    verbose: bool = False
    max_minutes: float | None = None
    patience: int | None = None
    batch_size: int | Literal['auto'] | None = None
    feature_cache: str | None = None

    @classmethod
    def from_args(cls, args: object) -> RunOptions:
        """Take the options that a command line has.

        Args:
            args: From ``argparse``; those that are none of these options are ignored.
        """
        given = vars(args)
        return cls(**{f.name: given[f.name] for f in fields(cls) if f.name in given})


def prepare(config: str | Path, options: RunOptions | None = None) -> RunPlan:
    """Read a config, apply the options, and plan the run.

    Args:
        config: The config file.
        options: Command line options.

    Raises:
        UserError: A config, data folder, checkpoint or option that cannot be used.
    """
    options = options or RunOptions()
    cfg = load_config(config, options.work_dir, options.cfg_options, options.launcher)
    with as_config_error('the run cannot be planned'):
        return _plan(cfg, options)


def _plan(cfg: Config, options: RunOptions) -> RunPlan:
    testing = options.checkpoint is not None
    _apply(cfg, options)
    if options.data_root:
        use_data_root(cfg, options.data_root, testing=testing, split_dir=options.split_dir)
    if options.test_split:
        use_test_split(
            cfg, options.test_split, data_root=options.data_root, split_dir=options.split_dir
        )
    if testing:
        cfg.load_from = str(options.checkpoint)
    elif not (options.resume and resume(cfg, options.resume)) and cfg.get('load_from'):
        start_from(cfg, cfg.load_from)
    plan = read_plan(cfg, ('test',) if testing else ('train', 'val'))
    return replace(
        plan,
        verbose=options.verbose,
        max_minutes=options.max_minutes,
        largest_batch=options.batch_size == 'auto',
    )


def _apply(cfg: Config, options: RunOptions) -> None:
    if options.scale:
        config_changes.set_scale(cfg, options.scale)
    if options.epochs is not None:
        config_changes.set_epochs(cfg, options.epochs)
    if options.patience is not None:
        config_changes.stop_early(cfg, options.patience)
    if isinstance(options.batch_size, int):
        cfg.train_dataloader.batch_size = options.batch_size
    if options.feature_cache is not None:
        config_changes.cache_features(cfg, options.feature_cache)
    if options.amp:
        enable_amp(cfg)
    if options.auto_scale_lr:
        config_changes.enable_auto_scale_lr(cfg)
