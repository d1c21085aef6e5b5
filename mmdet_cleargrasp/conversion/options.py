"""Options of a conversion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .orientation import Pixels


@dataclass(frozen=True)
class ConversionOptions:
    r"""Options of a conversion.

    Attributes:
        format_name: Key of :data:`.FORMATS`; recognized by default.
        classes: ``'OLD=NEW'`` renames a class, ``'OLD='`` drops its boxes. ``'NAME'`` keeps one
            and drops all classes that are not listed.
        splits: Splits by their names in the source, such as CVAT's subsets.
        resplit: Ignore the source's splits.
        group_by: Keeps images together, see :func:`.groups_by`; ignores the source's splits.
        val: Share of the images for validation, if they are split at random.
        test: Share of the images for the test, if they are split at random.
        seed: Of the random split.
        unannotated: Whether images without annotation are kept as images without plates. By
            default they are skipped, except in YOLO, which has no file for such images.
        drawn_on: Whether boxes were drawn with EXIF rotation applied, for images where sizes do not
            show it.
        link: Create hard links instead of copies of the images, if the file system supports it.
        overwrite: Replace an output folder written by a conversion.
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
