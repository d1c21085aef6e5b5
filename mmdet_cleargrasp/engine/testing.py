"""Testing a detector: check, predict, report."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mmdet.evaluation import DumpDetResults
from mmengine.config import Config
from mmengine.dist import is_main_process

from ..evaluation.detection_report import write_report
from ..evaluation.working_threshold import WorkingThreshold, read_working_threshold
from ..utils.atomic_files import write_json
from ..utils.errors import ConfigError
from .preflight import check_run, refuse_errors
from .run_config import innermost_dataset, split_paths
from .runner import build_runner

#: CocoMetric names its file of predictions PREFIX.bbox.json.
PREDICTIONS_PREFIX = 'predictions'
#: Says what was tested on what.
SOURCE_FILE = 'source.json'


def test(cfg: Config, checkpoint: str | Path, out: str | Path | None = None) -> Path:
    """Check, run a detector over its test data and report on it.

    Writes into ``WORK_DIR/test/NAME``, where NAME is that of the annotation file, or of its folder
    where files of that name are in every folder: the predictions in COCO's format,
    ``metrics.json``, ``pr_curves.png``, ``f1_curve.png``, ``confusion_matrix.png``, the config,
    ``source.json``, which says what was tested on what, and the pictures of the drawing hook if it
    draws. Answers are counted at the checkpoint's working threshold.

    Args:
        cfg: From :func:`.load_config`.
        checkpoint: The detector's weights.
        out: A ``.pkl`` file for MMDetection's own analysis tools.

    Returns:
        The folder of the report.

    Raises:
        ConfigError: The check found errors; nothing was started.
    """
    if out and Path(out).suffix not in ('.pkl', '.pickle'):
        raise ConfigError(f'--out {out}: expected a name that ends in .pkl')
    refuse_errors(check_run(cfg, loops=('test',), checkpoint=checkpoint), cfg.launcher)
    cfg.load_from = str(checkpoint)
    ann_file = split_paths(innermost_dataset(cfg.test_dataloader)).ann_file
    report_dir = Path(cfg.work_dir) / 'test' / report_name(ann_file)
    _keep_predictions(cfg, report_dir)
    # The run's own config and logs stay what they were.
    cfg.work_dir = str(report_dir)
    threshold = read_working_threshold(checkpoint)
    drawing = cfg.get('default_hooks', {}).get('visualization', {})
    if drawing:
        drawing.setdefault('score_thr', threshold.value)
    runner = build_runner(cfg)
    if out:
        runner.test_evaluator.metrics.append(DumpDetResults(out_file_path=str(out)))
    runner.test()
    if is_main_process():
        predictions = report_dir / f'{PREDICTIONS_PREFIX}.bbox.json'
        classes = innermost_dataset(cfg.test_dataloader).metainfo.classes
        print(write_report(ann_file, predictions, report_dir, classes, threshold))
        _write_source(cfg, checkpoint, threshold, report_dir / SOURCE_FILE)
        print(f'\neverything is in {report_dir}')
        if drawing.get('draw') and drawing.get('test_out_dir'):
            print(f'  pictures, the truth on the left, in {report_dir / drawing.test_out_dir}')
    return report_dir


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


def _write_source(
    cfg: Config, checkpoint: str | Path, threshold: WorkingThreshold, out: Path
) -> None:
    dataset = innermost_dataset(cfg.test_dataloader)
    split = split_paths(dataset)
    source = {
        'annotations': str(split.ann_file.absolute()),
        'annotations_sha256': hashlib.sha256(split.ann_file.read_bytes()).hexdigest(),
        'images': str(split.img_dir.absolute()),
        'classes': list(dataset.metainfo.classes),
        'checkpoint': str(Path(checkpoint).absolute()),
        'score_threshold': threshold.value,
        'threshold_from': threshold.source,
        'config': Path(cfg.filename).name,  # as the runner keeps it beside this
        'seed': cfg.get('randomness', {}).get('seed'),
    }
    write_json(out, source)


def _keep_predictions(cfg: Config, report_dir: Path) -> None:
    report_dir.mkdir(parents=True, exist_ok=True)
    evaluators = cfg.test_evaluator
    evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
    coco = [e for e in evaluators if str(e.get('type')).endswith('CocoMetric')]
    if not coco:
        raise ConfigError('test_evaluator has no CocoMetric, which the report is made from')
    coco[0].outfile_prefix = str(report_dir / PREDICTIONS_PREFIX)
