"""What the page says about its model: name, classes, and how good it is at each threshold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..evaluation.report_files import METRICS_FILE, SOURCE_FILE, check_report
from ..inference import PlateDetector
from ..utils.errors import DataError
from ..utils.json_files import read_json_if_whole
from ..visualization.palette import class_color
from .photographs import is_share


def describe_model(detector: PlateDetector, config: Path) -> dict[str, Any]:
    """The model for the browser.

    Args:
        detector: The model.
        config: Of the detector.
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
    """A class in words, of one and of several.

    Example:
        >>> display_names('petri_dish'), display_names('multiwell_plate')['many']
        ({'one': 'Petri dish', 'many': 'Petri dishes'}, 'multiwell plates')
    """
    one = name.replace('_', ' ').strip() or name
    one = one.replace('petri ', 'Petri ')
    return {'one': one, 'many': one + ('es' if one.endswith(('s', 'sh', 'ch', 'x')) else 's')}


def read_quality(checkpoint: Path) -> dict[str, Any] | None:
    """Precision and recall over the score threshold, as a test of this checkpoint measured them.

    Args:
        checkpoint: Beside it may be its metrics, ``NAME.metrics.json``; otherwise the tests in
            ``test/`` of its work dir are searched for one of this file.

    Returns:
        ``images``, ``data``, ``remarks`` and the ``curve``; ``None`` without a test.
    """
    beside = checkpoint.with_suffix('.metrics.json')
    reports = [beside] if beside.is_file() else _tests_of(checkpoint)
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


def _tests_of(checkpoint: Path) -> list[Path]:
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
        and all(is_share(value) for column in columns for value in column)
    )
