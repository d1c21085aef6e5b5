"""Pretraining a backbone: check, run, say where everything is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import master_only
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from ..checkpoints import check_fit, open_backbone
from ..datasets.cleargrasp_folders import find_samples
from ..engine import preflight
from ..engine.hooks.curves_hook import CURVES_FILE
from ..engine.run_config import checkpoint_init_cfg, innermost_dataset
from ..engine.runner import build_runner, world_size
from ..engine.training import run
from ..utils.errors import ConfigError
from ..utils.findings import Finding, error, ok
from .hooks import BACKBONE_FILE, PICTURES_FOLDER
from .transforms import LoadClearGraspSample

LOOPS = ('train', 'val')


def use_folders(cfg: Config, root: str | Path) -> None:
    """Point a config at ``ROOT/train`` and ``ROOT/val``.

    Args:
        cfg: Is changed.
        root: What ``tools/render_plates.py`` wrote, or ClearGrasp data sorted so.
    """
    for loop in LOOPS:
        innermost_dataset(cfg[f'{loop}_dataloader']).folders = [str(Path(root) / loop)]


def pretrain(cfg: Config) -> None:
    """Check a pretraining and run it.

    Args:
        cfg: From :func:`.load_config`, of a :class:`.ClearGraspNetwork`.

    Raises:
        ConfigError: The check found errors; nothing was started.
    """
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    preflight.refuse_errors(check_pretraining(cfg), cfg.launcher)
    runner = build_runner(cfg)
    run(runner)
    _say_where(runner)


def check_pretraining(cfg: Config) -> list[Finding]:
    """Check device, work dir, data and starting weights.

    Args:
        cfg: Of the run.
    """
    if cfg.model.get('type') != 'ClearGraspNetwork':
        raise ConfigError(
            f"this config's model is {cfg.model.get('type')}, expected a ClearGraspNetwork as in "
            'configs/pretrain/; detectors are trained with tools/train.py'
        )
    checks = [
        preflight.check_versions(),
        preflight.check_device(cfg),
        preflight.check_work_dir(cfg),
        *(_check_samples(cfg, loop) for loop in LOOPS),
        _check_network(cfg),
    ]
    return [finding for check in checks for finding in preflight.collect(check)]


def _check_samples(cfg: Config, loop: str) -> Iterable[Finding]:
    loader = cfg[f'{loop}_dataloader']
    dataset = innermost_dataset(loader)
    unread = sorted(set(cfg.model.tasks) - set(dataset.tasks))
    if unread:
        yield error(
            f'{loop} data',
            f"{', '.join(unread)}: in model.tasks, but not in the data set's {dataset.tasks}",
        )
        return
    samples = [s for folder in dataset.folders for s in find_samples(folder, dataset.tasks)]
    # What is wrong with one file, such as another encoding, is often wrong with all.
    LoadClearGraspSample()({'files': {kind: str(path) for kind, path in samples[0].items()}})
    each = len(samples) // world_size(cfg.launcher)
    if loop == 'train' and not 2 <= loader.batch_size <= each:
        yield error(
            f'{loop} data',
            f'batches of {loader.batch_size} from {each} images a process: expected 2 or more, for '
            'batch norm, and at least one full batch',
        )
    elif not loader.num_workers and loader.get('persistent_workers'):
        yield error(f'{loop} data', 'num_workers=0 needs persistent_workers=False')
    else:
        yield ok(f'{loop} data', f'{len(samples)} images in {", ".join(dataset.folders)}')


def _check_network(cfg: Config) -> Iterable[Finding]:
    network = preflight.build('model', cfg.model)
    path = checkpoint_init_cfg(cfg.model.backbone).get('checkpoint')
    if not path:
        yield ok('backbone', 'starts from random weights')
        return
    file = open_backbone(path)
    check_fit(file, network.backbone)
    yield ok('backbone', f'starts from {path}: {file.family.name}')


@master_only
def _say_where(runner: Runner) -> None:
    work_dir = Path(runner.work_dir)
    print(f'\npretraining is complete; everything is in {work_dir}')
    print(f'  backbone  {work_dir / BACKBONE_FILE}')
    print(f'  pictures  {work_dir / PICTURES_FOLDER}')
    print(f'  curves    {work_dir / CURVES_FILE}')
    print(
        'next: python tools/train.py configs/frcnn_cleargrasp_plates.py --cfg-options '
        f'model.backbone.init_cfg.checkpoint={work_dir / BACKBONE_FILE} '
        f'model.backbone.trained_stride={runner.cfg.model.backbone.trained_stride}'
    )
