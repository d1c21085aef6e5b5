"""One photograph on the page: its boxes, those that a person corrected, and its scale in mm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import supervision as sv

from ..inference.results import Scale, find_scale, labels_of, scores_of
from ..utils.errors import DataError

#: Boxes in one photograph.
MAX_BOXES = 1000
#: Known sizes in mm, from a well to a table.
MM_RANGE = (1.0, 2000.0)
#: Shortest side of a box, in pixels.
MIN_SIDE = 1.0


@dataclass(frozen=True)
class PlateBox:
    """A box of the model's or of a person's.

    Attributes:
        left: In pixels of the upright photograph, as the other sides.
        top: Upper side.
        right: Right side.
        bottom: Lower side.
        label: Name of the class.
        score: Of the model, 0 to 1; ``None`` of a box drawn by hand.
        corrected: Drawn, moved or given its class by hand; such a box has no threshold.
        removed: By hand; kept so that moving the threshold does not bring it back.
        known_mm: The longer side's true length, where the user knows it.
    """

    left: float
    top: float
    right: float
    bottom: float
    label: str
    score: float | None = None
    corrected: bool = False
    removed: bool = False
    known_mm: float | None = None

    def is_shown(self, threshold: float) -> bool:
        """Whether the box counts at a score threshold."""
        return not self.removed and (
            self.corrected or self.score is None or self.score >= threshold
        )


@dataclass
class Photograph:
    """A photograph that was uploaded.

    Attributes:
        key: Random, for addresses and file names on the disk.
        name: As the user knows it, unique in the session.
        file: The upload.
        width: In pixels, upright, as ``height``.
        height: See ``width``.
        boxes: All of the model's from the lowest score on, and those drawn by hand.
        checked_at: The threshold at which the user said that the boxes are right; it stays that of
            this photograph.
        size_bytes: On the disk.
    """

    key: str
    name: str
    file: Path
    width: int
    height: int
    boxes: list[PlateBox] = field(default_factory=list)
    checked_at: float | None = None
    size_bytes: int = 0

    def view(self, name: str = 'view.jpg') -> Path:
        """The file of a picture that the page shows."""
        return view_file(self.file, name)

    def shown(self, threshold: float) -> list[PlateBox]:
        """The boxes that count at a score threshold."""
        lowest = threshold if self.checked_at is None else self.checked_at
        return [box for box in self.boxes if box.is_shown(lowest)]

    def own_scale(self) -> Scale | None:
        """Pixels per mm from the box of known size; ``None`` without one."""
        known = [box for box in self.boxes if box.known_mm and not box.removed]
        if not known:
            return None
        box = replace(known[0], score=None)  # the user knows better than the model
        assert box.known_mm is not None
        size = (self.width, self.height)
        return find_scale(to_detections([box], [box.label]), box.known_mm, size=size)

    def to_json(self) -> dict[str, Any]:
        """For the browser."""
        scale = self.own_scale()
        return {
            'key': self.key,
            'name': self.name,
            'width': self.width,
            'height': self.height,
            'checked_at': self.checked_at,
            'px_per_mm': scale and scale.px_per_mm,
            'scale_problem': scale.problem if scale else '',
            'boxes': [asdict(box) for box in self.boxes],
        }


def view_file(upload: Path, name: str) -> Path:
    """The file of a picture that is made of an upload."""
    return upload.with_name(f'{upload.name}.{name}')


def from_detections(found: sv.Detections, classes: Sequence[str]) -> list[PlateBox]:
    """Boxes of a detector's answer."""
    boxes = []
    for xyxy, label, score in zip(found.xyxy, labels_of(found), scores_of(found), strict=True):
        left, top, right, bottom = (round(float(side), 2) for side in xyxy)
        name = classes[int(label)]
        boxes.append(PlateBox(left, top, right, bottom, name, round(float(score), 4)))
    return boxes


def to_detections(boxes: Sequence[PlateBox], classes: Sequence[str]) -> sv.Detections:
    """Boxes as a detector's answer; those drawn by hand have a score of 1.

    Example:
        >>> found = to_detections([PlateBox(0, 0, 90, 80, 'petri_dish')], ['petri_dish'])
        >>> found.xyxy.tolist(), found.confidence.tolist()
        ([[0.0, 0.0, 90.0, 80.0]], [1.0])
    """
    sides = [[box.left, box.top, box.right, box.bottom] for box in boxes]
    scores = [1.0 if box.score is None or box.corrected else box.score for box in boxes]
    return sv.Detections(
        xyxy=np.array(sides, np.float64).reshape(-1, 4),
        confidence=np.array(scores, np.float64),
        class_id=np.array([classes.index(box.label) for box in boxes], int),
        data={'class_name': np.array([box.label for box in boxes], dtype=object).astype(str)},
    )


def parse_boxes(content: object, size: tuple[int, int], classes: Sequence[str]) -> list[PlateBox]:
    """Boxes that a browser sent, checked.

    Args:
        content: Decoded JSON.
        size: Width and height of the photograph in pixels; boxes are clipped to it.
        classes: Names that a box may have.

    Raises:
        DataError: Anything but a list of boxes with finite sides, known classes and possible sizes.
    """
    if not isinstance(content, list) or len(content) > MAX_BOXES:
        raise DataError(f'expected a list of up to {MAX_BOXES} boxes')
    boxes = [_parse_box(entry, size, classes) for entry in content]
    if sum(box.known_mm is not None for box in boxes) > 1:
        raise DataError('expected one box of known size at most')
    return boxes


def _parse_box(entry: object, size: tuple[int, int], classes: Sequence[str]) -> PlateBox:
    if not isinstance(entry, Mapping) or entry.get('label') not in classes:
        raise DataError(f'expected boxes of the classes {", ".join(classes)}')
    left, right = sorted(_number(entry, side, 0, size[0]) for side in ('left', 'right'))
    top, bottom = sorted(_number(entry, side, 0, size[1]) for side in ('top', 'bottom'))
    if right - left < MIN_SIDE or bottom - top < MIN_SIDE:
        raise DataError('a box has no area')
    score, known = entry.get('score'), entry.get('known_mm')
    if known is not None and not MM_RANGE[0] <= _number(entry, 'known_mm') <= MM_RANGE[1]:
        raise DataError(f'a known size is from {MM_RANGE[0]:.0f} to {MM_RANGE[1]:.0f} mm')
    return PlateBox(
        left,
        top,
        right,
        bottom,
        str(entry['label']),
        None if score is None else _number(entry, 'score', 0, 1),
        score is None or bool(entry.get('corrected')),
        bool(entry.get('removed')),
        None if known is None else _number(entry, 'known_mm'),
    )


def is_share(value: object) -> bool:
    """Whether decoded JSON is a number from 0 to 1; ``true`` is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _number(
    entry: Mapping[str, Any], key: str, low: float = -math.inf, high: float = math.inf
) -> float:
    """A finite number, moved into a range."""
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise DataError(f'a box has no number as its {key}')
    return min(max(float(value), low), high)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer of thousands of digits
        return False
