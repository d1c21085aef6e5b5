"""Replaces ``torch.load``, with which mmengine reads local checkpoints.

By default, ``torch.load`` executes code in a file up to torch 2.5, refuses mmengine's own log
history from 2.6 on (https://github.com/open-mmlab/mmengine/issues/1655), and does not verify
checksums. Unnecessary once mmengine saves plain lists and reads with ``weights_only=True``
(https://github.com/open-mmlab/mmengine/pull/1650 proposes the contrary).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def read_local_checkpoints_with(load: Callable[..., Any]) -> Iterator[None]:
    """Let mmengine read local checkpoints with another function inside a ``with`` block.

    Args:
        load: Function with the signature of ``mmengine.runner.checkpoint.load_from_local``.
    """
    from mmengine.runner import CheckpointLoader
    from mmengine.runner.checkpoint import load_from_local

    CheckpointLoader.register_scheme('', load, force=True)
    try:
        yield
    finally:
        CheckpointLoader.register_scheme('', load_from_local, force=True)
