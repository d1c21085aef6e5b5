"""Finding the checkpoints of a run: the best, and the one that it goes on from."""

from __future__ import annotations

import re
from pathlib import Path

from mmengine.config import Config

from ..checkpoints import read_checkpoint
from ..checkpoints.packages import is_available
from ..utils.errors import CheckpointError
from .config_parts import checkpoint_init_cfg


def resume(cfg: Config, checkpoint: str | None) -> Path | None:
    """Let a run go on from a checkpoint.

    The file that the run started from is not needed any more: where it is gone, the checkpoint,
    which holds what has become of its weights, takes its place.

    Args:
        cfg: Is changed.
        checkpoint: The file, or ``'auto'`` for the latest in the work dir.

    Returns:
        The checkpoint; ``None`` where there is none yet and the run starts afresh.

    Raises:
        CheckpointError: The checkpoint is not there, or not one to go on from.
    """
    for draft in Path(cfg.work_dir).glob('.*.partial'):  # of a write that was killed
        draft.unlink(missing_ok=True)
    found = latest_checkpoint(cfg.work_dir) if checkpoint == 'auto' else Path(checkpoint)
    if found is None:
        print(f'nothing to resume in {cfg.work_dir}: starting afresh')
        return None
    _check_parts(found, 'state_dict', 'meta', 'optimizer')
    cfg.resume = True
    cfg.load_from = str(found)
    for module in (cfg.model, cfg.model.get('backbone', {})):
        init_cfg = checkpoint_init_cfg(module)
        ours = init_cfg.get('type') in ('ClearGraspCheckpoint', 'DetectorCheckpoint')
        if ours and not is_available(init_cfg.checkpoint):
            init_cfg.checkpoint = str(found)
    return found


def latest_checkpoint(work_dir: str | Path) -> Path | None:
    """The latest checkpoint of a run that can be read, whatever ended the run.

    Args:
        work_dir: Of the run. The file ``last_checkpoint`` in it is followed where it
            names one; else, or where that one is damaged, the others are tried from the last back.

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
            print(f'warning: passed over a checkpoint: {error}')
        else:
            return path
    if candidates:
        raise CheckpointError(
            f'none of the {len(candidates)} checkpoints in {work_dir} can be read. Copy them '
            'again, or train afresh without --resume.'
        )
    return None


def best_checkpoint(work_dir: str | Path) -> Path | None:
    """The checkpoint of a run that did best on validation.

    Args:
        work_dir: Of the run. Where runs followed each other in it, the newest counts.

    Returns:
        The checkpoint; ``None`` where validation found nothing yet.
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
    pointer = work_dir / 'last_checkpoint'
    if pointer.is_file():
        # By its name alone: the work dir may have moved since.
        last = work_dir / Path(pointer.read_text().strip()).name
        if last.is_file():
            return [last, *(path for path in paths if path != last)]
    return paths


def _check_parts(path: Path, *needed: str) -> None:
    content = read_checkpoint(path)
    there = content.keys() if isinstance(content, dict) else ()
    missing = [part for part in needed if part not in there]
    if missing:
        raise CheckpointError(
            f'{path} lacks {", ".join(missing)}: expected a checkpoint of training, as '
            'tools/train.py writes it'
        )
