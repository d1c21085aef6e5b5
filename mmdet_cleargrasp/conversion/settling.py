"""From the annotations of an image to its boxes, or the reason why it is skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..datasets.split_names import SPLITS, split_of
from .boxes import Box
from .folder import Folder
from .labels import Labels, Picture
from .orientation import Pixels, drawn_on, turn_size, turn_upright

#: Sides of a box in pixels, below which MMDetection skips it.
SMALLEST = 1.0
#: Pixels by which a box may exceed its image without a note.
TOLERANCE = 1.0
#: Tolerance in pixels for the same box in two files.
SAME = 1.0
#: IoU above which two boxes of a class in different files enclose the same object.
SAME_THING = 0.5


class Unusable(Exception):
    """An image that has to be skipped.

    Attributes:
        reasons: Pairs of a reason and a detail: the file, line or id at fault.
    """

    def __init__(self, *reasons: tuple[str, str]) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


@dataclass(frozen=True)
class Annotated:
    """An image and its annotations in all files.

    Attributes:
        path: Of the image.
        size: Width and height in pixels, upright.
        orientation: Of EXIF, 1 to 8.
        labels: One for each file.
    """

    path: Path
    size: tuple[int, int]
    orientation: int
    labels: Sequence[Labels]

    def drawn_on(self, labels: Labels) -> Pixels | None:
        """Whether the boxes of a file were drawn on the upright or the stored image, if known."""
        boxes = () if labels.shares else labels.boxes
        return drawn_on(self.orientation, self.size, labels.size, boxes)


@dataclass(frozen=True)
class Settled:
    """An image with its final boxes.

    Attributes:
        picture: The image with its boxes.
        faults: Boxes that were skipped, as detail and reason.
        notes: Assumptions that were made.
    """

    picture: Picture
    faults: list[tuple[str, str]]
    notes: list[str]


def same_proof(images: Sequence[Annotated]) -> Pixels | None:
    """Whether boxes were drawn on the upright or the stored image, if all known cases agree.

    The same tool is assumed to have drawn the other boxes.
    """
    turned = [image for image in images if image.orientation != 1]
    proofs = {image.drawn_on(labels) for image in turned for labels in image.labels} - {None}
    return proofs.pop() if len(proofs) == 1 else None


def settle(folder: Folder, image: Annotated, drawn: Pixels | None) -> Settled:
    """Combine the annotations of an image into a picture.

    Args:
        folder: The source.
        image: The image and its annotations.
        drawn: Assumed if it is unknown whether boxes were drawn upright.

    Raises:
        Unusable: An annotation could not be read, or contradicts the image or another file.
    """
    unread = [
        (reason, ', '.join(filter(None, (folder.name(labels.file), where))))
        for labels in image.labels
        for where, reason in labels.unread
    ]
    if unread:
        raise Unusable(*unread)
    for labels in image.labels:
        _check_size(image, labels)
    boxes, faults, cut = _boxes(image, drawn)
    faults += [entry for labels in image.labels for entry in labels.other]
    if faults and not boxes:
        where, reason = faults[-1]
        raise Unusable((f'nothing in its annotation is a usable box: {reason}', where))
    split, notes = _split(folder, image)
    notes += ['a box that exceeds its image was clipped'] * cut
    unproved = drawn is None and any(
        labels.boxes and image.drawn_on(labels) is None for labels in image.labels
    )
    if_stored = _boxes(image, 'stored')[0] if unproved else []
    picture = Picture(image.path, *image.size, tuple(boxes), split, tuple(if_stored))
    return Settled(picture, faults, notes)


def _boxes(image: Annotated, drawn: Pixels | None) -> tuple[list[Box], list[tuple[str, str]], int]:
    """The valid boxes of an image, problems of others, and the number of clipped boxes.

    Raises:
        Unusable: Two files have different boxes of the same object.
    """
    merged: list[Box] = []
    faults: list[tuple[str, str]] = []
    cut = 0
    for labels in image.labels:
        pixels = image.drawn_on(labels) or drawn
        placed = [_placed(box, image, labels, pixels) for box in labels.boxes]
        faults += [('', 'the same box twice')] * (len(placed) - len(set(placed)))
        usable = []
        for box in dict.fromkeys(placed):
            inside = box.within(*image.size)
            if inside.shorter_side < SMALLEST:
                outside = box.shorter_side >= SMALLEST
                faults.append(('', 'a box outside its image' if outside else 'a box of no area'))
            else:
                cut += box.differs_by(inside) > TOLERANCE
                usable.append(inside)
        merged += _new(image, usable, merged)
    return merged, faults, cut


def _new(image: Annotated, boxes: list[Box], earlier: list[Box]) -> list[Box]:
    """Boxes that are not in earlier files."""
    new = []
    for box in boxes:
        same_class = [other for other in earlier if other.label == box.label]
        if any(box.differs_by(other) <= SAME for other in same_class):
            continue
        if any(box.iou(other) > SAME_THING for other in same_class):
            files = ', '.join(labels.file.name for labels in image.labels)
            raise Unusable(('annotated differently in several files', files))
        new.append(box)
    return new


def _check_size(image: Annotated, labels: Labels) -> None:
    width, height = image.size
    if labels.size is None or labels.size in (
        image.size,
        turn_size(image.size, image.orientation),
    ):
        return
    annotated = ' x '.join(f'{side:g}' for side in labels.size)
    raise Unusable(
        (
            'the image was turned since it was annotated: turn it back, or annotate it again'
            if labels.size == (height, width)
            else 'the image has another size than it was annotated with: annotate it again',
            f'{width} x {height} pixels, annotated as {annotated}',
        )
    )


def _placed(box: Box, image: Annotated, labels: Labels, pixels: Pixels | None) -> Box:
    """A box as annotated, in pixels of the upright image."""
    width, height = (1, 1) if labels.shares else image.size
    if pixels == 'stored':
        box = turn_upright(box, image.orientation, turn_size((width, height), image.orientation))
    return box.scaled(*image.size) if labels.shares else box


def _split(folder: Folder, image: Annotated) -> tuple[str | None, list[str]]:
    """The split of an image, with a note if there were several: test before val before train."""
    told = {labels.split for labels in image.labels if labels.split}
    known = {split for name in told if (split := split_of(name))}
    if len(known) < 2:
        first = min(told, key=lambda name: (split_of(name) is None, name), default=None)
        return first or folder.split(image.path), []
    last = max(known, key=SPLITS.index)
    names = ' and '.join(split for split in SPLITS if split in known)
    return last, [f'an image that is in {names} was kept in {last} only']
