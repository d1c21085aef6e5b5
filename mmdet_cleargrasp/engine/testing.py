"""Testing a detector: check, predict, report."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from mmdet.evaluation import DumpDetResults
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import is_main_process

from ..datasets.layout import Split
from ..evaluation.detection_report import write_report
from ..evaluation.report_files import (
    PREDICTIONS_FILE,
    PREDICTIONS_PREFIX,
    SOURCE_FILE,
    finish_report,
    start_report,
)
from ..evaluation.working_threshold import WorkingThreshold, read_working_threshold
from ..utils.atomic_files import refuse_unwritable, write_json
from ..utils.errors import ConfigError
from .checks import check_run, introduce, refuse_errors
from .checks.building import build
from .config_changes import enable_tta
from .config_parts import evaluators
from .hooks import RuntimeHook
from .hooks.progress_hook import showing_progress
from .run_plan import RunPlan
from .runner import build_runner, own_folder, rank, safe_files
from .runtimes import check_runtime


@safe_files()
def test(
    plan: RunPlan,
    *,
    out: str | Path | None = None,
    tta: bool = False,
    runtime: str = 'torch',
    amp: bool = False,
) -> Path:
    """Check, run a detector over its test data and report on it.

    Writes into ``WORK_DIR/test/NAME``, where NAME is that of the annotation file, or of its folder
    where files of that name are in every folder: the predictions in COCO's format,
    ``metrics.json``, ``pr_curves.png``, ``f1_curve.png``, ``confusion_matrix.png``, the config,
    ``source.json``, which says what was tested on what, the pictures of the drawing hook if it
    draws, and last ``manifest.json``, without which a report doesn't count. Answers are counted at
    the checkpoint's working threshold.

    Args:
        plan: From :func:`.prepare`, with a checkpoint.
        out: A ``.pkl`` file for MMDetection's own analysis tools.
        tta: Test flipped images too and merge the boxes.
        runtime: What computes the networks, one of :data:`.RUNTIMES`.
        amp: Compute the networks in bfloat16.

    Returns:
        The folder of the report.

    Raises:
        ConfigError: The check found errors, or the runtime cannot be used; nothing was started.
    """
    if out and Path(out).suffix not in ('.pkl', '.pickle'):
        raise ConfigError(f'--out {out}: expected a name that ends in .pkl')
    if out:
        refuse_unwritable(out, '--out')
    findings = check_run(plan)
    refuse_errors(findings, plan.launcher)
    _refuse_runtime(plan.cfg, runtime, amp)
    introduce(findings, plan.launcher)
    report_dir = plan.work_dir / 'test' / report_name(_test_split(plan).ann_file)
    with own_folder(report_dir, plan.launcher):
        assert plan.checkpoint is not None
        threshold = read_working_threshold(plan.checkpoint)
        if tta:
            enable_tta(plan.cfg)
        computing = RuntimeHook(runtime, amp)
        _predict(plan, report_dir, threshold, computing, out)
        if is_main_process():
            how = {'test_time_augmentation': tta, 'runtime': _computed(plan.cfg, computing)}
            _report(plan, report_dir, threshold, how)
            if amp and computing.computed.endswith('float32'):
                print('this processor has no instructions for bfloat16: --amp was ignored')
    return report_dir


def draw_boxes(
    plan: RunPlan, *, show: bool = False, show_dir: str | None = None, wait_time: float = 2
) -> None:
    """Draw test images with ground truth and detections.

    Args:
        plan: Of the test; its config is changed.
        show: Show the images in a window.
        show_dir: Folder within the report's that gets them.
        wait_time: Seconds to show an image.
    """
    hooks = plan.cfg.get('default_hooks', {})
    if 'visualization' not in hooks:
        raise ConfigError('the config has no default_hooks.visualization, which draws the boxes')
    # The configs of older runs name MMDetection's hook.
    hooks.visualization.update(type='PlateVisualizationHook', draw=True)
    if show:
        hooks.visualization.update(show=True, wait_time=wait_time)
    if show_dir:
        hooks.visualization.test_out_dir = show_dir


def report_name(ann_file: Path) -> str:
    """The name of a report's folder.

    Args:
        ann_file: What is tested on.

    Example:
        >>> report_name(Path('plates/annotations/val.json'))
        'val'
        >>> report_name(Path('/plates/valid/_annotations.coco.json'))
        'valid'
    """
    common = ann_file.stem.split('.')[0].strip('_') == 'annotations'
    return ann_file.absolute().parent.name if common else ann_file.stem


def _test_split(plan: RunPlan) -> Split:
    split = plan.data['test'].split
    if split is None:
        raise ConfigError('the config names no annotation file to test on')
    return split


def _refuse_runtime(cfg: Config, runtime: str, amp: bool) -> None:
    """Refuse a runtime that cannot be used, before an earlier report is replaced."""
    if runtime == 'torch' and not amp:
        return
    if _has_mixed_precision(cfg):
        raise ConfigError(
            'the config has test_cfg.fp16, mixed precision of its own: --cfg-options '
            'test_cfg.fp16=False with --runtime and --amp'
        )
    check_runtime(build('model', cfg.model), runtime, amp, get_device())


def _has_mixed_precision(cfg: Config) -> bool:
    """Whether mmengine's ``TestLoop`` runs the whole detector in 16 bits."""
    return bool((cfg.get('test_cfg') or {}).get('fp16'))


def _computed(cfg: Config, computing: RuntimeHook) -> str:
    return 'torch, test_cfg.fp16' if _has_mixed_precision(cfg) else computing.computed


def _predict(
    plan: RunPlan,
    report_dir: Path,
    threshold: WorkingThreshold,
    computing: RuntimeHook,
    out: str | Path | None,
) -> None:
    """Run the detector; its predictions, log and pictures go to the report's folder."""
    _keep_predictions(plan, report_dir)
    # The run's own config and logs are not changed.
    plan.cfg.work_dir = str(report_dir)
    drawing = plan.cfg.get('default_hooks', {}).get('visualization', {})
    if drawing:
        drawing.setdefault('score_thr', threshold.value)
    runner = build_runner(plan.cfg, verbose=plan.verbose)
    runner.register_hook(computing)
    if out:
        runner.test_evaluator.metrics.append(DumpDetResults(out_file_path=str(out)))
    with showing_progress(runner, verbose=plan.verbose):
        runner.test()


def _report(
    plan: RunPlan, report_dir: Path, threshold: WorkingThreshold, how: dict[str, Any]
) -> None:
    """Write the report of the predictions, and print it."""
    predictions = report_dir / PREDICTIONS_FILE
    ann_file, classes = _test_split(plan).ann_file, plan.data['test'].classes
    print(write_report(ann_file, predictions, report_dir, classes, threshold))
    _write_source(plan, threshold, how, report_dir / SOURCE_FILE)
    finish_report(report_dir)
    print(f'\nnetworks computed by {how["runtime"]}')
    print(f'everything is in {report_dir}')
    drawing = plan.cfg.get('default_hooks', {}).get('visualization', {})
    if drawing.get('draw') and drawing.get('test_out_dir'):
        print(f'  pictures, ground truth on the left, in {report_dir / drawing.test_out_dir}')


def _write_source(
    plan: RunPlan, threshold: WorkingThreshold, how: dict[str, Any], out: Path
) -> None:
    split = _test_split(plan)
    assert plan.checkpoint is not None
    source = {
        'annotations': str(split.ann_file.absolute()),
        'annotations_sha256': hashlib.sha256(split.ann_file.read_bytes()).hexdigest(),
        'images': str(split.img_dir.absolute()),
        'classes': list(plan.data['test'].classes),
        'checkpoint': str(Path(plan.checkpoint).absolute()),
        'score_threshold': threshold.value,
        'threshold_from': threshold.source,
        **how,
        'config': Path(plan.cfg.filename).name,  # as the runner keeps it beside this
        'seed': plan.seed,
    }
    write_json(out, source)


def _keep_predictions(plan: RunPlan, report_dir: Path) -> None:
    coco = [e for e in evaluators(plan.cfg, 'test') if str(e.get('type')).endswith('CocoMetric')]
    if not coco:
        raise ConfigError('test_evaluator has no CocoMetric, which the report is made from')
    coco[0]['outfile_prefix'] = str(report_dir / PREDICTIONS_PREFIX)
    if rank(plan.launcher) == 0:
        earlier = start_report(report_dir)
        if earlier:
            print(f'replacing the report on {earlier} in {report_dir}')
