"""The detector in this repository: paths of its config and weights."""

from __future__ import annotations

from pathlib import Path

from ..utils.config_paths import config_dir, config_path
from ..utils.errors import CheckpointError

CONFIG = 'frcnn_plates_detector.py'
#: Path of the weights, from the root of a clone or from the working directory.
WEIGHTS = Path('checkpoints/plate_detector.pth')


def shipped_detector() -> tuple[Path, Path]:
    """Find config and weights of the detector that is used by default.

    A clone of the repository has both. A wheel has only the config: the weights are expected in
    ``checkpoints/`` of the working directory.

    Returns:
        The config and the checkpoint.

    Raises:
        CheckpointError: The weights do not exist.

    Example:
        >>> [path.name for path in shipped_detector()]
        ['frcnn_plates_detector.py', 'plate_detector.pth']
    """
    places = [config_dir().resolve().parent / WEIGHTS, WEIGHTS.absolute()]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise CheckpointError(
            f'the detector that comes with the repository is not at {WEIGHTS.absolute()}. Copy '
            f'{WEIGHTS} from a clone of the repository to there, or name a detector: a work dir '
            'of tools/train.py, or a config and a checkpoint.'
        )
    return config_path(CONFIG), found
