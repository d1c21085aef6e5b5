"""Finding the checkpoints of a run: the best one, and the one to resume from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ...checkpoints import read_checkpoint
from ...checkpoints.packages import is_available
from ...utils.errors import CheckpointError
from ...utils.regular_files import read_regular_file
from ..config_parts import checkpoint_init_cfg
from .optimizer import check_optimizer


def resume(cfg: Config, checkpoint: str) -> Path | None:
    """Set the checkpoint to resume from.

    Args:
        cfg: Is changed.
        checkpoint: The file, or ``'auto'`` for the latest in the work dir.

    Returns:
        The checkpoint; ``None`` where there is none yet and the run starts from the beginning.

    Raises:
        CheckpointError: The checkpoint is absent, or none that training can resume from.
    """
    for draft in Path(cfg.work_dir).glob('.*.partial'):  # of a write that was killed
        draft.unlink(missing_ok=True)
    auto = checkpoint == 'auto'
    found = latest_checkpoint(cfg.work_dir) if auto else Path(checkpoint)
    if found is None:
        print(f'no checkpoint to resume from in {cfg.work_dir}: starting from the beginning')
        return None
    content = _check_parts(found, 'state_dict', 'meta', 'optimizer')
    check_optimizer(cfg, content['optimizer'], found)
    cfg.resume = True
    start_from(cfg, found)
    return found


def start_from(cfg: Config, checkpoint: str | Path) -> None:
    """Start from a detector's weights.

    The backbone's or detector's own file, which ``init_cfg`` names, is then not needed: where it is
    absent, the checkpoint takes its place.

    Args:
        cfg: Is changed.
        checkpoint: The file.
    """
    cfg.load_from = str(checkpoint)
    for module in (cfg.model, cfg.model.get('backbone', {})):
        init_cfg = checkpoint_init_cfg(module)
        ours = init_cfg.get('type') in ('ClearGraspCheckpoint', 'DetectorCheckpoint')
        if ours and not is_available(init_cfg['checkpoint']):
            init_cfg['checkpoint'] = str(checkpoint)


def latest_checkpoint(work_dir: str | Path) -> Path | None:
    """Find the latest readable checkpoint of a run.

    Args:
        work_dir: Of the run. The file ``last_checkpoint`` in it is followed where it names one;
            without it, or where that one is damaged, the others are tried, the last one first.

    Returns:
        The checkpoint; ``None`` where there is none at all.

    Raises:
        CheckpointError: There are checkpoints, but none that can be read.
    """
    candidates = _candidates(Path(work_dir))
    for path in candidates:
        try:
            _check_parts(path, 'state_dict', 'meta')
        except CheckpointError as error:
            print(f'warning: skipped a checkpoint: {error}')
        else:
            return path
    if candidates:
        raise CheckpointError(
            f'none of the {len(candidates)} checkpoints in {work_dir} can be read. Copy them '
            'again, or train from the beginning without --resume.'
        )
    return None


def best_checkpoint(work_dir: str | Path) -> Path | None:
    """The checkpoint of a run with the best figure on validation.

    Args:
        work_dir: Of the run. Of several runs in it, the newest counts.

    Returns:
        The checkpoint; ``None`` where no validation has found anything yet.
    """
    found = Path(work_dir).glob('best_*.pth')
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _candidates(work_dir: Path) -> list[Path]:
    numbered = [
        (int(match[1]), path)
        for path in work_dir.glob('*.pth')
        if (match := re.fullmatch(r'(?:epoch|iter)_(\d+)', path.stem))
    ]
    paths = [path for _, path in sorted(numbered, reverse=True)]
    last = last_saved_checkpoint(work_dir)
    return [last, *(path for path in paths if path != last)] if last else paths


def last_saved_checkpoint(work_dir: Path) -> Path | None:
    """The checkpoint in the file ``last_checkpoint``, by name only: runs may have been moved.

    Args:
        work_dir: Of the run.

    Returns:
        ``None`` where the file is absent or damaged, or the checkpoint is not there.
    """
    try:
        name = read_regular_file(work_dir / 'last_checkpoint').decode().strip()
        last = work_dir / Path(name).name
        return last if last.is_file() else None
    except (OSError, ValueError):
        return None


def _check_parts(path: Path, *needed: str) -> dict[str, Any]:
    content = read_checkpoint(path)
    there = content.keys() if isinstance(content, dict) else ()
    missing = [part for part in needed if part not in there]
    if missing:
        raise CheckpointError(
            f'{path} lacks {", ".join(missing)}: expected a checkpoint of training, as '
            'tools/train.py writes it'
        )
    return content
