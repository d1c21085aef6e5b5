"""Reading a config file."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from ..datasets.loading import load_photographs
from ..utils.config_paths import find_config
from ..utils.errors import ConfigError
from .config_errors import check_option_types

#: What MMEngine reads of a config: its runner's arguments and these.
SETTINGS = frozenset(inspect.signature(Runner.__init__).parameters) | {
    'activation_checkpointing', 'compile', 'custom_imports', 'detect_anomalous_params',
    'efficient_conv_bn_eval', 'find_unused_parameters', 'model_wrapper_cfg', 'sync_bn', 'tta_model',
    'tta_pipeline',
}  # fmt: skip
#: Those that are dicts where they are set; evaluators may be lists too.
DICTS = (
    'model', 'train_cfg', 'val_cfg', 'test_cfg', 'train_dataloader', 'val_dataloader',
    'test_dataloader', 'optim_wrapper', 'default_hooks', 'env_cfg', 'randomness', 'visualizer',
    'log_processor', 'auto_scale_lr',
)  # fmt: skip
LISTS = ('custom_hooks', 'vis_backends')
#: Names at the top of configs/_base_/, which are read while their file is, and what each one sets.
KNOBS = {
    'checkpoint': 'model.backbone.init_cfg.checkpoint or, for a whole detector, '
    'model.init_cfg.checkpoint',
    'task': 'model.backbone.init_cfg.checkpoint',
    'trained_stride': 'model.backbone.trained_stride',
    'data_root': '--data-root',
    'classes': '--data-root',
    'num_classes': '--data-root',
    'batch_size': 'train_dataloader.batch_size',
    'num_workers': 'train_dataloader.num_workers',
    'scale': '--scale',
    'anchor_scales': 'model.rpn_head.anchor_generator.scales',
    'anchor_ratios': 'model.rpn_head.anchor_generator.ratios',
    'max_epochs': '--epochs',
    'lr': 'optim_wrapper.optimizer.lr',
}


def load_config(
    path: str | Path,
    work_dir: str | Path | None = None,
    cfg_options: dict[str, Any] | None = None,
    launcher: str = 'none',
) -> Config:
    """Read a config file, and set its work dir and launcher.

    Names that configs use among themselves, such as ``scale``, are dropped once they are read: what
    a run writes into its work dir has every value once, where it takes effect.

    Args:
        path: The config file, or the name of one of the plugin's configs.
        work_dir: Folder of the run's output; by default what the config says, and
            ``work_dirs/NAME`` otherwise.
        cfg_options: Values by dotted key that replace the config's.
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.

    Raises:
        ConfigError: No such file, it cannot be evaluated, or an option that would do nothing.
    """
    for name in cfg_options or {}:
        if '.' not in name and name not in SETTINGS:
            raise ConfigError(
                f'--cfg-options {name}=... has no effect: it is a variable of the config file. '
                f'Set the value that uses it: {KNOBS.get(name, "see the config")}'
            )
        root = name.split('.')[0]
        if root not in SETTINGS:
            raise ConfigError(f'--cfg-options {name}=...: a run reads no {root!r} from a config')
    path = find_config(path)
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # a config is Python code: anything may go wrong in it
        raise ConfigError(f'{path} cannot be read: {type(error).__name__}: {error}') from error
    check_option_types(dict(cfg.items()), cfg_options or {})
    try:
        cfg.merge_from_dict(cfg_options or {})
    except (KeyError, TypeError, IndexError, AssertionError) as error:
        raise ConfigError(f'--cfg-options do not fit {path}: {error}') from error
    if 'model' not in cfg:
        raise ConfigError(f'{path} has no model; expected a config like those in configs/')
    _refuse_other_types(path, cfg)
    load_photographs(cfg)
    _drop_helpers(cfg)
    cfg.launcher = launcher
    cfg.work_dir = str(work_dir or cfg.get('work_dir') or Path('work_dirs') / path.stem)
    return cfg


def _refuse_other_types(path: Path, cfg: Config) -> None:
    for names, kind in ((DICTS, dict), (LISTS, list)):
        for name in names:
            value = cfg.get(name)
            if value is not None and not isinstance(value, kind):
                raise ConfigError(
                    f'{path}: {name} is {value!r}, expected a {kind.__name__}; see configs/'
                )


def _drop_helpers(cfg: Config) -> None:
    for name in set(cfg) - SETTINGS:
        cfg.pop(name)
    if 'data_preprocessor' in cfg.model:
        cfg.pop('data_preprocessor', None)
