"""Writing checkpoint files so that none is ever half there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch


def save_atomically(content: Any, path: str | Path) -> Path:
    """Save with ``torch.save`` beside the target, then rename: the file is whole or not there.

    Args:
        content: what ``torch.save`` takes.
        path (str | Path): the file; its folder is made where needed.

    Returns:
        Path: the file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'.{path.name}.{os.getpid()}.partial')
    try:
        torch.save(content, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path
