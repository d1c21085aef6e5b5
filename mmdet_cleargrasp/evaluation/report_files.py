"""The files of one test, and how complete and incomplete reports are distinguished.

A test writes predictions, metrics and ``source.json`` one after the other. Last of all it writes a
manifest with their hashes: without one, or with files that have changed since, a report doesn't
count.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ..utils.atomic_files import write_json
from ..utils.errors import DataError

#: CocoMetric names its file of predictions PREFIX.bbox.json.
PREDICTIONS_PREFIX = 'predictions'
PREDICTIONS_FILE = f'{PREDICTIONS_PREFIX}.bbox.json'
METRICS_FILE = 'metrics.json'
#: Checkpoint and data of the test.
SOURCE_FILE = 'source.json'
MANIFEST_FILE = 'manifest.json'
REPORT_FILES = (PREDICTIONS_FILE, METRICS_FILE, SOURCE_FILE)


def start_report(folder: Path) -> str | None:
    """Prepare a folder for a test, and invalidate an earlier report in it.

    Args:
        folder: Made where needed.

    Returns:
        The checkpoint that an earlier report there was about.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        check_report(folder)
    except DataError:
        earlier = None
    else:
        source = json.loads((folder / SOURCE_FILE).read_text(encoding='utf-8'))
        earlier = str(source.get('checkpoint'))
    (folder / MANIFEST_FILE).unlink(missing_ok=True)
    return earlier


def finish_report(folder: Path) -> None:
    """Write the manifest, after all other files of a report.

    Args:
        folder: Of the report.
    """
    hashes = {name: _sha256(folder / name) for name in REPORT_FILES}
    write_json(folder / MANIFEST_FILE, {'sha256': hashes})


def check_report(folder: Path) -> None:
    """Refuse an incomplete report.

    Args:
        folder: Of the report.

    Raises:
        DataError: No manifest, or files that are missing or have changed since.
    """
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding='utf-8'))
        hashes = {name: manifest['sha256'][name] for name in REPORT_FILES}
        changed = [name for name, sha256 in hashes.items() if _sha256(folder / name) != sha256]
    except FileNotFoundError as error:
        raise DataError(
            f'{folder} has no {Path(error.filename).name}: its test was interrupted. Run '
            'tools/test.py again'
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f'{folder / MANIFEST_FILE} cannot be read: run tools/test.py again'
        ) from error
    if changed:
        raise DataError(
            f'{folder}: {", ".join(changed)} changed after the test. Run tools/test.py again'
        )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
