"""One check, before a run, of everything that is cheap to check."""

from __future__ import annotations

import math
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import mmcv
import mmdet
import mmengine
import torch
import torchvision
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from ..checkpoints import (
    check_fit,
    check_trained,
    describe_fit,
    fit_detector,
    open_backbone,
    open_detector,
)
from ..datasets.annotations import read_coco
from ..datasets.checks import check_split
from ..utils.errors import ConfigError, UserError
from ..utils.findings import Finding, error, ok, warning
from .mixed_precision import check_amp
from .run_config import checkpoint_init_cfg, class_counts, innermost_dataset, split_paths
from .runner import rank, world_size

#: Steps below which a detector with new heads has hardly begun.
FEW_STEPS = 500
#: Transforms after which an image comes back as it was, or in one of a few variants.
REPEATING = (
    'LoadPhotograph', 'LoadAnnotations', 'FilterAnnotations', 'Resize', 'RandomChoiceResize',
    'RandomFlip', 'Pad', 'PackDetInputs',
)  # fmt: skip
MARKS = {'ok': 'ok     ', 'warning': 'warning', 'error': 'ERROR  '}


def check_run(
    cfg: Config, loops: tuple[str, ...] = ('train', 'val'), checkpoint: str | Path | None = None
) -> list[Finding]:
    """Check data, classes, backbone, strides, schedule, device and versions of a run.

    Args:
        cfg: Of the run.
        loops: Of ``'train'``, ``'val'`` and ``'test'``, those that will run.
        checkpoint: The detector's weights, where a run starts from them;
            the backbone's own file is then not needed.

    Returns:
        What was found; nothing was built but the backbone, on no device.
    """
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    checks = [check_versions(), check_device(cfg), check_work_dir(cfg)]
    checks += [check_data(cfg, loop) for loop in loops]
    checks.append(check_model(cfg, with_file=checkpoint is None))
    if 'train' in loops:
        checks += [check_schedule(cfg), check_feature_cache(cfg)]
    if checkpoint is not None:
        checks.append(check_checkpoint(cfg, checkpoint))
    elif 'train' in loops and cfg.get('load_from'):
        checks.append(check_checkpoint(cfg, cfg.load_from, 'train'))
    return [finding for check in checks for finding in collect(check)]


def refuse_errors(findings: list[Finding], launcher: str = 'none') -> None:
    """Print what is doubtful, in one process; raise what is in the way.

    Args:
        findings: Of :func:`check_run`.
        launcher: Of the run's processes.

    Raises:
        ConfigError: With every error found.
    """
    for finding in findings:
        if finding.level == 'warning' and rank(launcher) == 0:
            print(f'warning: {finding.subject}: {finding.text}')
    errors = [f'{f.subject}: {f.text}' for f in findings if f.level == 'error']
    if errors:
        raise ConfigError('\n       '.join(errors))


def check_versions() -> Iterable[Finding]:
    """Name the versions that will run and where mmcv's operators come from."""
    from .. import __version__

    compiled = getattr(sys.modules.get('mmcv._ext'), '__file__', None) is not None
    operators = 'compiled' if compiled else "torchvision's"
    yield ok(
        'versions',
        f'mmdet_cleargrasp {__version__}, mmdet {mmdet.__version__}, mmengine '
        f'{mmengine.__version__}, mmcv {mmcv.__version__} ({operators} operators), torch '
        f'{torch.__version__}, torchvision {torchvision.__version__}, Python '
        f'{platform.python_version()}',
    )


def check_device(cfg: Config) -> Iterable[Finding]:
    """Name the device, and refuse what it cannot do."""
    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        yield ok('device', f'{count} GPU(s), the first is {torch.cuda.get_device_name(0)}')
    else:
        yield ok('device', f'CPU with {torch.get_num_threads()} threads')
    yield from check_amp(cfg)


def check_work_dir(cfg: Config) -> Iterable[Finding]:
    """See that the work dir can be written to."""
    folder = Path(cfg.work_dir).absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        yield error('work dir', f'{existing} is not a folder that you may write to; use --work-dir')
    else:
        yield ok('work dir', str(cfg.work_dir))


def check_data(cfg: Config, loop: str) -> Iterable[Finding]:
    """Check one loop's annotations, images, classes and evaluator."""
    subject = f'{loop} data'
    if not cfg.get(f'{loop}_dataloader'):
        yield error(subject, f'the config has no {loop}_dataloader')
        return
    dataset = innermost_dataset(cfg[f'{loop}_dataloader'])
    if dataset.get('type') != 'CocoDataset':
        yield warning(subject, f'{dataset.get("type")} is not checked, only CocoDataset')
        return
    split = split_paths(dataset)
    classes = dataset.get('metainfo', {}).get('classes')
    if isinstance(classes, str) or not classes:
        yield error(
            subject,
            f'metainfo.classes is {classes!r}, expected a tuple of names; a tuple of one is '
            "written ('plate',) with a comma",
        )
        return
    counts = class_counts(cfg.model)
    if counts and counts != {len(classes)}:
        yield error(
            subject,
            f'{len(classes)} classes {tuple(classes)}, but heads with num_classes='
            f'{", ".join(map(str, sorted(counts)))}. Set both alike, or use --data-root.',
        )
    loader = cfg[f'{loop}_dataloader']
    if not loader.get('num_workers') and loader.get('persistent_workers'):
        yield error(subject, 'num_workers=0 needs persistent_workers=False')
    yield from check_split(subject, split.ann_file, split.img_dir, classes)
    yield from _check_evaluator(cfg, loop, split.ann_file)


def check_model(cfg: Config, with_file: bool = True) -> Iterable[Finding]:
    """Build the backbone, hold the heads' strides and the file it starts from against it.

    Args:
        cfg: Of the run.
        with_file: The backbone's, or the detector's, own file will be read.
    """
    if not isinstance(cfg.model.get('backbone'), dict):
        yield error('backbone', 'model has no backbone=dict(type=...), expected as in configs/')
        return
    backbone = build('backbone', cfg.model.backbone)
    yield from _check_strides(cfg.model, getattr(backbone, 'out_strides', None))
    init_cfg = checkpoint_init_cfg(cfg.model)
    if init_cfg.get('type') != 'DetectorCheckpoint':
        yield from _check_backbone_file(cfg.model.backbone, backbone, with_file)
    elif with_file:
        yield from _check_detector_file(cfg.model, init_cfg)


def check_schedule(cfg: Config) -> Iterable[Finding]:
    """See that warm-up and decay fit into the run."""
    batch_size = cfg.train_dataloader.get('batch_size')
    if not isinstance(batch_size, int) or batch_size < 1:
        yield error(
            'schedule', f'train_dataloader.batch_size is {batch_size!r}, expected 1 or more'
        )
        return
    if not isinstance(cfg.get('train_cfg'), dict):
        yield error('schedule', 'the config has no train_cfg=dict(max_epochs=...)')
        return
    max_epochs = cfg.train_cfg.get('max_epochs')
    steps = steps_per_epoch(cfg)
    if not max_epochs or not steps:
        return
    ends = []
    for scheduler in cfg.get('param_scheduler') or []:
        by_epoch = scheduler.get('by_epoch', True)
        end = scheduler.get('end', math.inf) / (1 if by_epoch else steps)
        ends.append(max_epochs if end == math.inf else end)
    if ends and not 0.9 * max_epochs <= max(ends) <= max(max_epochs, 2):
        yield warning(
            'schedule',
            f'the learning rate is scheduled for {max(ends):.3g} epochs, the run lasts '
            f'{max_epochs}. Set the length with --epochs, which sets both.',
        )
    text = f'{max_epochs} epochs of {steps} steps'
    if max_epochs * steps < FEW_STEPS:
        yield warning(
            'schedule',
            f'{text} are {max_epochs * steps} steps; heads that start from nothing take some '
            f'hundred: --epochs {-(-FEW_STEPS // steps)} or more',
        )
    else:
        yield ok('schedule', text)


def check_feature_cache(cfg: Config) -> Iterable[Finding]:
    """See that a cache of features, if there is one, will be found useful."""
    if not any(hook.get('type') == 'FeatureCacheHook' for hook in cfg.get('custom_hooks') or []):
        return
    pipeline = innermost_dataset(cfg.train_dataloader).get('pipeline') or []
    changing = [step['type'] for step in pipeline if step['type'] not in REPEATING]
    if not cfg.model.backbone.get('frozen'):
        yield error('feature cache', 'FeatureCacheHook needs model.backbone.frozen=True')
    elif changing:
        yield error(
            'feature cache',
            f'{", ".join(changing)} may draw an image differently every time, so that its features '
            'are never found again: take it out of the training pipeline, or take out '
            'FeatureCacheHook',
        )
    else:
        yield ok('feature cache', 'on')


def check_checkpoint(cfg: Config, path: str | Path, loop: str = 'test') -> Iterable[Finding]:
    """Compare a detector's checkpoint with the config: all weights there, the same classes.

    Args:
        cfg: Of the run.
        path: The checkpoint.
        loop: Whose data set names the classes.

    Raises:
        CheckpointError: It does not fit.
    """
    classes = innermost_dataset(cfg[f'{loop}_dataloader']).get('metainfo', {}).get('classes', ())
    model = build('model', cfg.model)
    check_trained(path, model, classes)
    yield ok('checkpoint', f'{path}: {len(model.state_dict())} tensors')


def _check_backbone_file(
    backbone_cfg: dict[str, Any], backbone: nn.Module, with_file: bool
) -> Iterable[Finding]:
    init_cfg = checkpoint_init_cfg(backbone_cfg)
    path, loader = init_cfg.get('checkpoint'), init_cfg.get('type')
    name = type(backbone).__name__
    if with_file and getattr(backbone, 'frozen', False) and loader != 'ClearGraspCheckpoint':
        yield error(
            'backbone',
            f'{name} is frozen, but its init_cfg has no ClearGraspCheckpoint with a file: its '
            'features would be random. Set model.backbone.init_cfg=dict('
            "type='ClearGraspCheckpoint', checkpoint=PATH)",
        )
    elif not path:
        yield ok('backbone', f'{name} without a checkpoint')
    elif with_file and loader == 'ClearGraspCheckpoint':
        file = check_fit(open_backbone(path, init_cfg.get('source')), backbone)
        yield ok('backbone', f'{path}: {file.family.name}, {len(file.tensors)} tensors fit {name}')
    elif '://' in path:
        yield error('backbone', f'init_cfg.checkpoint={path}: files are local; download it first')
    else:
        yield ok('backbone', f'{name} from {path}')


def _check_detector_file(model: dict[str, Any], init_cfg: dict[str, Any]) -> Iterable[Finding]:
    file = open_detector(init_cfg['checkpoint'], init_cfg.get('source'))
    detector = build('model', model)
    fit = fit_detector(file, detector, init_cfg.get('classes', ()))
    yield ok('detector', f'{file.path}: {describe_fit(file, fit, detector)}')


def _check_strides(model: dict[str, Any], strides: tuple[int, ...] | None) -> Iterable[Finding]:
    """Hold the strides of anchors and RoI extractor against those that the backbone publishes.

    mmdet's FPN fits maps of any size to each other, so that wrong strides would train silently.
    """
    neck = model.get('neck') or dict(type=None)
    if strides is None or neck.get('type') not in ('FPN', None):
        return
    levels = list(strides[neck.get('start_level', 0) :])
    while len(levels) < neck.get('num_outs', 0):
        levels.append(levels[-1] * 2)
    heads = {
        key: model[key].anchor_generator.strides
        for key in ('rpn_head', 'bbox_head')
        if 'anchor_generator' in model.get(key, {})
    }
    extractor = model.get('roi_head', {}).get('bbox_roi_extractor', {})
    if 'featmap_strides' in extractor:
        heads['roi_head.bbox_roi_extractor'] = extractor['featmap_strides']
    wrong = {key: found for key, found in heads.items() if list(found) != levels[: len(found)]}
    for key, found in wrong.items():
        yield error(
            'strides',
            f'{key} has strides {list(found)}, but backbone and neck give {levels}: set '
            f'them to {levels[: len(found)]}, or the backbone to output_stride=32',
        )
    if not wrong:
        yield ok('strides', f'{levels} in backbone and neck, anchors and RoI extractor')


def _check_evaluator(cfg: Config, loop: str, ann_file: Path) -> Iterable[Finding]:
    evaluators = cfg.get(f'{loop}_evaluator') or []
    for evaluator in evaluators if isinstance(evaluators, list) else [evaluators]:
        scored = evaluator.get('ann_file')
        if scored and Path(scored).absolute() != ann_file.absolute():
            yield error(
                f'{loop} data',
                f'images come from {ann_file}, but {loop}_evaluator.ann_file is {scored}: set both '
                'to the same file',
            )


def steps_per_epoch(cfg: Config) -> int:
    """Training steps of an epoch.

    Args:
        cfg: Of the run.

    Returns:
        0 where the data set is of a kind that is not checked.
    """
    dataset, repeats = cfg.train_dataloader.dataset, 1
    while 'dataset' in dataset:
        repeats *= dataset.get('times', 1)
        dataset = dataset.dataset
    if dataset.get('type') != 'CocoDataset':
        return 0
    coco = read_coco(split_paths(dataset).ann_file)
    images = {image['id'] for image in coco.images}
    if dataset.get('filter_cfg', {}).get('filter_empty_gt'):
        images &= {annotation.get('image_id') for annotation in coco.annotations}
    return -(-repeats * len(images) // (cfg.train_dataloader.batch_size * world_size(cfg.launcher)))


def build(subject: str, cfg: dict[str, Any]) -> nn.Module:
    """Build a module without memory for its weights, where it can be built so.

    Args:
        subject: What it is, for the message.
        cfg: Of the module.

    Raises:
        ConfigError: It cannot be built.
    """
    try:
        with torch.device('meta'):
            return MODELS.build(cfg)
    except RuntimeError:  # some read values while they are built
        return MODELS.build(cfg)
    except (ValueError, TypeError, KeyError, AssertionError) as reason:
        text = str(reason).strip('"\'')
        raise ConfigError(f'the {subject} cannot be built: {text}') from reason


def collect(check: Iterable[Finding]) -> Iterable[Finding]:
    """The findings of one check; an error that a person can act on is one of them."""
    findings: list[Finding] = []
    try:
        for finding in check:
            findings.append(finding)
    except UserError as reason:
        findings.append(error(type(reason).__name__.removesuffix('Error').lower(), str(reason)))
    except Exception as reason:  # a config may hold anything anywhere, and is Python besides
        findings.append(
            error('config', f'cannot be checked ({type(reason).__name__}: {reason}); see configs/')
        )
    return findings


def describe(findings: list[Finding]) -> str:
    """Findings as lines of text.

    Example:
        >>> from mmdet_cleargrasp.utils.findings import ok
        >>> print(describe([ok('device', 'CPU with 2 threads')]))
        ok      device: CPU with 2 threads
    """
    return '\n'.join(f'{MARKS[f.level]} {f.subject}: {f.text}' for f in findings)
