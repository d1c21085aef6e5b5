"""Run a pretraining: check it, train, print the paths of the results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from mmdet.registry import MODELS
from mmengine.dist import master_only
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from ..checkpoints import check_fit, open_backbone
from ..datasets.cleargrasp_folders import find_samples
from ..engine.checks import collect, introduce, refuse_errors
from ..engine.checks.building import build
from ..engine.checks.data import check_workers
from ..engine.checks.environment import check_device, check_versions, check_work_dir
from ..engine.hooks.curves_hook import CURVES_FILE
from ..engine.prepare import RunOptions, prepare
from ..engine.run_plan import RunPlan
from ..engine.runner import build_runner, own_folder, safe_files, world_size
from ..engine.training import run
from ..utils.errors import ConfigError
from ..utils.findings import Finding, error, ok
from .hooks import BACKBONE_FILE, PICTURES_FOLDER
from .network import ClearGraspNetwork
from .transforms import LoadClearGraspSample

LOOPS = ('train', 'val')
#: Config of a detector by type of backbone, for the command that is suggested after the run.
DETECTORS = {
    'ClearGraspResNet': 'configs/frcnn_cleargrasp_plates.py',
    'ClearGraspDRN': 'configs/frcnn_cleargrasp_drn54_plates.py',
    'TimmBackbone': 'configs/frcnn_imagenet_efficientnet_lite2_plates.py',
}


def prepare_pretraining(config: str | Path, options: RunOptions) -> RunPlan:
    """Read a config and apply the command line's options.

    Args:
        config: Config file whose model is a :class:`.ClearGraspNetwork`.
        options: Options of the command line. ``data_root`` is a folder with ``train/`` and
            ``val/`` in ClearGrasp's layout, as ``tools/render_plates.py`` writes it.

    Returns:
        The plan, for :func:`pretrain`.

    Raises:
        ConfigError: The config cannot be read or an option does not fit it.

    Example:
        >>> from mmdet_cleargrasp.utils.config_paths import config_dir
        >>> options = RunOptions(data_root='data/renders', epochs=2)
        >>> plan = prepare_pretraining(config_dir() / 'pretrain' / 'resnet50_joint.py', options)
        >>> plan.cfg.train_dataloader.dataset.folders
        ['data/renders/train']
    """
    folders = {}
    if options.data_root:
        for loop in LOOPS:
            folders[f'{loop}_dataloader.dataset.folders'] = [str(Path(options.data_root) / loop)]
    changes = {**folders, **(options.cfg_options or {})}
    return prepare(config, replace(options, data_root=None, cfg_options=changes))


@safe_files()
def pretrain(plan: RunPlan) -> None:
    """Check a pretraining run, train, and print the paths of the results.

    Args:
        plan: From :func:`prepare_pretraining`.

    Raises:
        ConfigError: The checks found errors; nothing was trained.
    """
    init_default_scope(plan.cfg.get('default_scope', 'mmdet'))
    findings = check_pretraining(plan)
    refuse_errors(findings, plan.launcher)
    introduce(findings, plan.launcher)
    with own_folder(plan.work_dir, plan.launcher):
        runner = build_runner(plan.cfg, verbose=plan.verbose)
        run(runner, plan)
    _print_results(runner)


def check_pretraining(plan: RunPlan) -> list[Finding]:
    """Check versions, device, work dir, data and initial weights.

    Args:
        plan: From :func:`prepare_pretraining`.

    Returns:
        Errors and confirmations, in the order of the checks.

    Raises:
        ConfigError: The config's model is not a :class:`.ClearGraspNetwork`.
    """
    network = MODELS.get(plan.cfg.model.get('type', ''))
    if not (isinstance(network, type) and issubclass(network, ClearGraspNetwork)):
        raise ConfigError(
            f"this config's model is {plan.cfg.model.get('type')}, expected a ClearGraspNetwork as "
            'in configs/pretrain/; detectors are trained with tools/train.py'
        )
    checks = [
        check_versions(),
        check_device(plan),
        check_work_dir(plan),
        *(_check_samples(plan, loop) for loop in LOOPS),
        _check_network(plan),
    ]
    return [finding for check in checks for finding in collect(check)]


def _check_samples(plan: RunPlan, loop: str) -> Iterable[Finding]:
    data, subject = plan.data[loop], f'{loop} data'
    dataset = data.dataset
    unread = sorted(set(plan.cfg.model.tasks) - set(dataset.tasks))
    if unread:
        yield error(
            subject,
            f"{', '.join(unread)}: in model.tasks, but not in the dataset's {dataset.tasks}",
        )
        return
    yield from check_workers(subject, data)
    samples = [s for folder in dataset.folders for s in find_samples(folder, dataset.tasks)]
    # Reading one sample finds errors that all files share, such as a wrong encoding.
    LoadClearGraspSample()({'files': {kind: str(path) for kind, path in samples[0].items()}})
    each = len(samples) // world_size(plan.launcher)
    if loop == 'train' and not 2 <= data.loader.batch_size <= each:
        yield error(
            subject,
            f'batches of {data.loader.batch_size} from {each} images per process: expected 2 or '
            'more (for batch norm), and at least one full batch',
        )
    else:
        yield ok(subject, f'{len(samples)} images in {", ".join(dataset.folders)}')


def _check_network(plan: RunPlan) -> Iterable[Finding]:
    network = build('model', plan.cfg.model)
    if not plan.weights.path:
        yield ok('backbone', 'starts from random weights')
        return
    file = open_backbone(plan.weights.path)
    check_fit(file, network.get_submodule('backbone'))
    yield ok('backbone', f'starts from {plan.weights.path}: {file.family.name}')


@master_only
def _print_results(runner: Runner) -> None:
    work_dir = Path(runner.work_dir)
    print(f'\npretraining is complete; everything is in {work_dir}')
    print(f'  backbone  {work_dir / BACKBONE_FILE}')
    print(f'  pictures  {work_dir / PICTURES_FOLDER}')
    print(f'  curves    {work_dir / CURVES_FILE}')
    backbone = runner.cfg.model.backbone
    options = f'model.backbone.init_cfg.checkpoint={work_dir / BACKBONE_FILE}'
    if 'trained_stride' in backbone:
        options += f' model.backbone.trained_stride={backbone.trained_stride}'
    config = DETECTORS.get(backbone.type, 'CONFIG')
    print(f'next: python tools/train.py {config} --cfg-options {options}')
