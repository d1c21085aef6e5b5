"""Annotations of an image as read, and the picture that they become."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from .boxes import Box
from .orientation import Size

T = TypeVar('T')

#: Exceptions that malformed shapes raise.
FAULTS = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)


class NoOutline(Exception):
    """A shape without area, such as a point; the text names it."""


@dataclass
class Labels:
    """Annotations of one image in one file.

    Attributes:
        file: The annotation file.
        size: Width and height of the image as annotated.
        split: Name of the split as the source has it.
        shares: Boxes are in relative coordinates instead of pixels.
        boxes: Valid boxes.
        unread: Shapes that could not be read, as detail and reason.
        other: Shapes without area, as detail and reason.
    """

    file: Path
    size: Size | None = None
    split: str | None = None
    shares: bool = False
    boxes: list[Box] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)
    other: list[tuple[str, str]] = field(default_factory=list)

    def read(self, where: str, parse: Callable[[T], Box], shape: T) -> Box | None:
        """Read a shape, or record why it cannot be read.

        Args:
            where: Its number, line or id, for messages.
            parse: Returns its box; raises :data:`FAULTS` or :class:`NoOutline`.
            shape: As in the file.
        """
        try:
            box = parse(shape)
            label = ' '.join(unicodedata.normalize('NFC', box.label).split())
            if not label:
                raise ValueError('a shape without a class name')
            box = replace(box, label=label)
            if not all(math.isfinite(side) for side in box.sides):
                raise ValueError('a coordinate that is not finite')
        except NoOutline as reason:
            self.other.append((where, str(reason)))
            return None
        except FAULTS as error:
            self.unread.append((where, describe(error)))
            return None
        self.boxes.append(box)
        return box


@dataclass(frozen=True)
class Picture:
    """An image of a source, with its boxes.

    Attributes:
        path: Of the file.
        width: In pixels, upright (EXIF orientation applied); ``height`` likewise.
        boxes: Inside the image; none in an image without plates.
        split: Name of its split in the source, if any.
        if_stored: The boxes under the assumption that they were drawn without EXIF rotation, if
            this is unknown.
    """

    path: Path
    width: int
    height: int
    boxes: tuple[Box, ...]
    split: str | None = None
    if_stored: tuple[Box, ...] = ()


def annotated_size(width: Any, height: Any) -> Size | None:
    """The image size in an annotation; ``None`` if it is missing, zero or invalid.

    Example:
        >>> annotated_size('100', 80), annotated_size(0, 0), annotated_size(None, 80)
        ((100.0, 80.0), None, None)
    """
    sides = []
    for value in (width, height):
        try:
            sides.append(float(value))
        except FAULTS:
            return None
    usable = all(math.isfinite(side) and side > 0 for side in sides)
    return (sides[0], sides[1]) if usable else None


def describe(fault: Exception) -> str:
    """Message for one of :data:`FAULTS`.

    Example:
        >>> describe(KeyError('bbox')), describe(ValueError('no points'))
        ("'bbox' is missing", 'no points')
    """
    return f'{fault} is missing' if isinstance(fault, KeyError) else str(fault)
