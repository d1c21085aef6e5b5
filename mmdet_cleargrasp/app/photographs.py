"""A photograph on the page: its detected, corrected and drawn boxes, and its scale."""

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

#: Maximum number of boxes in a photograph.
MAX_BOXES = 1000
#: Accepted known sizes in mm, inclusive.
MM_RANGE = (1.0, 2000.0)
#: Minimum width and height of a box in pixels.
MIN_SIDE = 1.0


@dataclass(frozen=True)
class PlateBox:
    """A box that was detected, or drawn by a user.

    Attributes:
        left: Left side, in pixels of the upright photograph, as the other sides.
        top: Upper side.
        right: Right side.
        bottom: Lower side.
        label: Class name.
        score: Score of the detector, 0 to 1; ``None`` for a box drawn by hand.
        corrected: Whether a user has drawn, moved or relabeled the box, which is then shown at any
            threshold.
        removed: Whether a user has removed the box. It is kept, so that it does not reappear when
            the threshold changes.
        known_mm: True length of the longer side in mm, if the user has entered it.
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
        """Whether the box is shown and exported at a score threshold.

        Args:
            threshold: Score threshold, 0 to 1.
        """
        return not self.removed and (
            self.corrected or self.score is None or self.score >= threshold
        )


@dataclass
class Photograph:
    """An uploaded photograph.

    Attributes:
        key: Random text for URLs and file names on the server.
        name: File name given by the user, unique in the session.
        file: The uploaded file.
        width: Width in pixels, after EXIF rotation.
        height: Height in pixels, after EXIF rotation.
        boxes: Detections, including those below the threshold, and boxes drawn by hand.
        checked_at: Threshold at which the user confirmed the boxes. It replaces the threshold of
            the session for this photograph. ``None`` if not confirmed.
        size_bytes: Size of all files of the photograph on the disk.
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
        """Return the file of an image that the page shows (``view.jpg`` or ``thumbnail.jpg``)."""
        return view_file(self.file, name)

    def shown(self, threshold: float) -> list[PlateBox]:
        """Return the boxes at a score threshold, or at the one at which the user confirmed them.

        Args:
            threshold: Score threshold of the session, 0 to 1.
        """
        lowest = threshold if self.checked_at is None else self.checked_at
        return [box for box in self.boxes if box.is_shown(lowest)]

    def own_scale(self) -> Scale | None:
        """Return the scale from the box of known size; ``None`` if there is none."""
        known = [box for box in self.boxes if box.known_mm and not box.removed]
        if not known:
            return None
        # Without its score: the user has confirmed the plate, even if the score is low.
        box = replace(known[0], score=None)
        assert box.known_mm is not None
        size = (self.width, self.height)
        return find_scale(to_detections([box], [box.label]), box.known_mm, size=size)

    def to_json(self) -> dict[str, Any]:
        """Return the photograph as a JSON object for the browser."""
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
    """Return the file of an image that is made from an upload.

    Args:
        upload: The uploaded file.
        name: ``view.jpg`` or ``thumbnail.jpg``.
    """
    return upload.with_name(f'{upload.name}.{name}')


def from_detections(found: sv.Detections, classes: Sequence[str]) -> list[PlateBox]:
    """Convert detections to boxes.

    Args:
        found: Detections of a photograph.
        classes: Class names by id.
    """
    boxes = []
    for xyxy, label, score in zip(found.xyxy, labels_of(found), scores_of(found), strict=True):
        left, top, right, bottom = (round(float(side), 2) for side in xyxy)
        name = classes[int(label)]
        boxes.append(PlateBox(left, top, right, bottom, name, round(float(score), 4)))
    return boxes


def to_detections(boxes: Sequence[PlateBox], classes: Sequence[str]) -> sv.Detections:
    """Convert boxes to detections; drawn or corrected boxes get a score of 1.

    Args:
        boxes: Boxes of a photograph.
        classes: Class names by id.

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
    """Validate the boxes that a browser sent.

    Args:
        content: Decoded JSON.
        size: Width and height of the photograph in pixels; boxes are clipped to it.
        classes: Accepted class names.

    Raises:
        DataError: The content is not a list of boxes, or a box has an unknown class, is not finite,
            has no area or an invalid known size.

    Example:
        >>> box = {'left': 0, 'top': 0, 'right': 90, 'bottom': 999, 'label': 'petri_dish'}
        >>> parse_boxes([box], (100, 80), ['petri_dish'])[0].bottom
        80
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
        raise DataError(f'expected a size from {MM_RANGE[0]:.0f} to {MM_RANGE[1]:.0f} mm')
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


def is_fraction(value: object) -> bool:
    """Whether a value of decoded JSON is a number from 0 to 1, and not ``true`` or ``false``.

    Args:
        value: Any value.
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _number(
    entry: Mapping[str, Any], key: str, low: float = -math.inf, high: float = math.inf
) -> float:
    """Return a finite number of a box, clipped to a range."""
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise DataError(f'{key} of a box is not a finite number')
    return min(max(float(value), low), high)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the range of float
        return False
