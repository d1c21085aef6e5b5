"""Describe the model for the page: name, classes, and test results by score threshold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..evaluation.report_files import METRICS_FILE, SOURCE_FILE, check_report
from ..inference import PlateDetector
from ..utils.errors import DataError
from ..utils.json_files import read_json_if_whole
from ..visualization.palette import class_color
from .photographs import is_fraction


def describe_model(detector: PlateDetector, config: Path) -> dict[str, Any]:
    """Describe a detector for the browser.

    Args:
        detector: Detector that the page uses.
        config: Config file of the detector.

    Returns:
        JSON object with name, config, note, threshold, classes and ``quality``, which is the result
        of :func:`read_quality`.
    """
    return {
        'name': detector.checkpoint.name,
        'config': config.name,
        'note': detector.note,
        'threshold': detector.threshold.value,
        'classes': [
            {'name': name, 'color': class_color(k), **display_names(name)}
            for k, name in enumerate(detector.classes)
        ],
        'quality': read_quality(detector.checkpoint),
    }


def display_names(name: str) -> dict[str, str]:
    """Return the singular and plural of a class name for display.

    Args:
        name: Class name in the data set.

    Example:
        >>> display_names('petri_dish'), display_names('multiwell_plate')['many']
        ({'one': 'Petri dish', 'many': 'Petri dishes'}, 'multiwell plates')
    """
    one = name.replace('_', ' ').strip() or name
    one = one.replace('petri ', 'Petri ')
    return {'one': one, 'many': one + ('es' if one.endswith(('s', 'sh', 'ch', 'x')) else 's')}


def read_quality(checkpoint: Path) -> dict[str, Any] | None:
    """Read precision and recall by score threshold from a test of a checkpoint.

    Args:
        checkpoint: Checkpoint file. The metrics are read from ``NAME.metrics.json`` in the same
            folder, or else from a report of ``tools/test.py`` on this file in ``test/``.

    Returns:
        ``images`` (their number), ``data`` (name of the data set), ``remarks`` and ``curve`` with
        lists of thresholds, precision and recall; ``None`` if there is no test.
    """
    metrics_file = checkpoint.with_suffix('.metrics.json')
    reports = [metrics_file] if metrics_file.is_file() else _find_reports(checkpoint)
    for path in reports:
        metrics = read_json_if_whole(path)
        curve = metrics.get('answers', {}).get('curve')
        if _is_curve(curve):
            return {
                'images': metrics.get('images'),
                'data': metrics.get('data') or path.parent.name,
                'remarks': metrics.get('remarks', ''),
                'curve': curve,
            }
    return None


def _find_reports(checkpoint: Path) -> list[Path]:
    found = []
    for source in sorted(checkpoint.parent.glob(f'test/*/{SOURCE_FILE}')):
        try:
            check_report(source.parent)
        except DataError:
            continue
        if Path(str(read_json_if_whole(source).get('checkpoint'))).name == checkpoint.name:
            found.append(source.with_name(METRICS_FILE))
    return found


def _is_curve(curve: object) -> bool:
    keys = ('threshold', 'precision', 'recall')
    if not isinstance(curve, dict) or not all(isinstance(curve.get(key), list) for key in keys):
        return False
    columns = [curve[key] for key in keys]
    lengths = {len(column) for column in columns}
    return (
        len(lengths) == 1
        and lengths != {0}
        and all(is_fraction(value) for column in columns for value in column)
    )
