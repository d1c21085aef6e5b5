"""mmengine reads local checkpoints with ``torch.load``.

That runs whatever a file names by default up to torch 2.5, refuses mmengine's own log history from
2.6 on (https://github.com/open-mmlab/mmengine/issues/1655), and doesn't compare checksums.
Unnecessary once mmengine saves plain lists and reads with ``weights_only=True``
(https://github.com/open-mmlab/mmengine/pull/1650 proposes the contrary).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def local_checkpoints_read_by(load: Callable[..., Any]) -> Iterator[None]:
    """Within it, mmengine reads local files by a function of ours.

    Args:
        load: With the signature of ``mmengine.runner.checkpoint.load_from_local``.
    """
    from mmengine.runner import CheckpointLoader
    from mmengine.runner.checkpoint import load_from_local

    CheckpointLoader.register_scheme('', load, force=True)
    try:
        yield
    finally:
        CheckpointLoader.register_scheme('', load_from_local, force=True)
