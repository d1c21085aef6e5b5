"""One split of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Split:
    """One split of a data set.

    Attributes:
        ann_file: Its COCO file.
        img_dir: The folder that its file names are relative to.
    """

    ann_file: Path
    img_dir: Path
