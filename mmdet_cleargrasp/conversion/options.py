"""How a data set is converted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .orientation import Pixels


@dataclass(frozen=True)
class ConversionOptions:
    r"""How a data set is converted.

    Attributes:
        format_name: Key of :data:`.FORMATS`; by default found by looking at the folder.
        classes: ``'OLD=NEW'`` renames a class, ``'OLD='`` drops its boxes. ``'NAME'`` keeps one:
            then all that are not named are dropped.
        splits: Splits by the names that the source has for them, such as CVAT's subsets.
        resplit: Ignore the source's splits.
        group_by: Keeps images together, see :func:`.groups_by`; ignores the source's splits.
        val: Share of the images for validation, where they are split at random.
        test: Share for the test, likewise.
        seed: Of the random split.
        unannotated: Whether images without annotation are taken as images without plates. By
            default they are skipped, except YOLO's, which has no file for such images.
        drawn_on: On which pixels boxes of photographs with EXIF orientation were drawn, where
            nothing proves it.
        link: Hard links instead of copies of the images, where the file system can.
        overwrite: Replace an output folder that a conversion wrote.
    """

    format_name: str | None = None
    classes: tuple[str, ...] = ()
    splits: Mapping[str, str] = field(default_factory=dict)
    resplit: bool = False
    group_by: str | None = None
    val: float = 0.2
    test: float = 0.0
    seed: int = 0
    unannotated: Literal['negative', 'skip'] | None = None
    drawn_on: Pixels | None = None
    link: bool = False
    overwrite: bool = False
