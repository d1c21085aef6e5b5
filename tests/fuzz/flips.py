"""Single bits changed in a checkpoint of training: it is refused or unchanged."""

from __future__ import annotations

import random
from pathlib import Path

from mmdet_cleargrasp.checkpoints import read_checkpoint
from mmdet_cleargrasp.utils.errors import CheckpointError

from .checkpoints import WHOLE, same_weights
from .runs import Case, Found


def make_case(_folder: Path) -> Case:
    """The cases change one bit each."""
    whole, weights = WHOLE[False]

    def case(rng: random.Random, work: Path) -> str:
        content = bytearray(whole)
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path = work / 'flipped.pth'
        path.write_bytes(content)
        try:
            found = read_checkpoint(path)
        except CheckpointError:
            return 'refused'
        if not same_weights(found, weights) or found['meta']['epoch'] != 3:
            raise Found('read with other values')
        return 'in an unused part of the file'

    return case
