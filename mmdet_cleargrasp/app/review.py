"""What the page does with photographs, without the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import cv2
import numpy as np
import supervision as sv

from ..datasets.images import read_image
from ..inference import PlateDetector
from ..inference.results import COLUMNS, scores_of, select, to_coco, to_rows
from ..utils.atomic_files import write_json
from ..utils.csv_tables import write_csv
from ..utils.errors import UserError
from ..visualization.detections import draw_detections

#: Longer side of the pictures that the page shows, in pixels.
SHOWN = 1400

#: Detections below it are not kept, wherever the threshold is moved to.
LOWEST_SCORE = 0.05


@dataclass(frozen=True)
class Limits:
    """What the page accepts at once.

    Attributes:
        files: Photographs.
        megabytes: Of one file.
        megapixels: Of one photograph, unpacked.
    """

    files: int = 30
    megabytes: int = 50
    megapixels: int = 60


@dataclass(frozen=True)
class Photograph:
    """One photograph with all that was found in it.

    Attributes:
        name: As the user has it, of its own among all.
        size: Width and height in pixels.
        shown: uint8 (h, w, 3), RGB, made small to be shown.
        detections: From :data:`LOWEST_SCORE` on, in pixels of the photograph.
    """

    name: str
    size: tuple[int, int]
    shown: np.ndarray
    detections: sv.Detections

    def above(self, score_thr: float) -> sv.Detections:
        """The detections from a score on."""
        return select(self.detections, scores_of(self.detections) >= score_thr)

    def draw(self, score_thr: float) -> np.ndarray:
        """The picture with the boxes from a score on; uint8 (h, w, 3), RGB."""
        found = self.above(score_thr)
        found.xyxy = found.xyxy * (self.shown.shape[1] / self.size[0])
        return draw_detections(self.shown, found)


@dataclass
class Review:
    """Images that were processed, and those that could not be read.

    Attributes:
        classes: Names by class id.
        photographs: In the order in which they were given.
        problems: One a file that could not be used.
    """

    classes: tuple[str, ...] = ()
    photographs: list[Photograph] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, detector: PlateDetector, path: Path, name: str, limits: Limits) -> None:
        """Look at one file; whatever is wrong with it becomes a problem."""
        name = self._free_name(name)
        try:
            image = read_image(path, max_pixels=limits.megapixels * 1_000_000)
            found = detector(image, score_thr=LOWEST_SCORE)
        except UserError as error:
            # The path is the server's own.
            self.problems.append(str(error).replace(str(path), name))
            return
        except Exception as error:  # told on the page; the others go on
            self.problems.append(f'{name}: {type(error).__name__}')
            return
        size = (image.shape[1], image.shape[0])
        self.photographs.append(Photograph(name, size, _shrunk(image), found))

    def rows(self, score_thr: float) -> list[dict[str, Any]]:
        """Detections from a score on, by :data:`.COLUMNS`."""
        return [
            row
            for photo in self.photographs
            for row in to_rows(photo.name, photo.size, photo.above(score_thr))
        ]

    def pictures(self, score_thr: float) -> list[tuple[np.ndarray, str]]:
        """Drawn pictures, each with a caption that counts."""
        return [
            (photo.draw(score_thr), f'{photo.name}: {count(photo.above(score_thr))}')
            for photo in self.photographs
        ]

    def write(self, folder: Path, score_thr: float) -> tuple[Path, Path]:
        """Write ``detections.csv`` and ``detections.json`` into an existing folder."""
        rows = self.rows(score_thr)
        images = [
            {'image': p.name, 'width': p.size[0], 'height': p.size[1]} for p in self.photographs
        ]
        table, coco = folder / 'detections.csv', folder / 'detections.json'
        write_csv(table, COLUMNS, rows)
        write_json(coco, to_coco(images, rows, self.classes))
        return table, coco

    def _free_name(self, name: str) -> str:
        taken = {photo.name for photo in self.photographs}
        path = PurePath(name)
        others = (f'{path.stem}-{k}{path.suffix}' for k in range(2, len(taken) + 3))
        return next(choice for choice in (name, *others) if choice not in taken)


def count(detections: sv.Detections) -> str:
    """How many of which class, in words.

    Example:
        >>> found = sv.Detections(
        ...     xyxy=np.zeros((3, 4)),
        ...     data={'class_name': np.array(['dish', 'dish', 'multiwell_plate'])},
        ... )
        >>> count(found)
        '2 dish, 1 multiwell plate'
    """
    names = map(str, detections.data.get('class_name', ()))
    counts = Counter(name.replace('_', ' ') for name in names)
    return ', '.join(f'{number} {name}' for name, number in counts.most_common()) or 'none'


def look_at(detector: PlateDetector, files: Sequence[tuple[Path, str]], limits: Limits) -> Review:
    """Run the detector on images; images that exceed the limits are reported as problems.

    Args:
        detector: The detector.
        files: Each file, and the name that the user knows it by.
        limits: What is accepted.
    """
    review = Review(detector.classes)
    for path, name in files[: limits.files]:
        if path.stat().st_size > limits.megabytes * 1_000_000:
            review.problems.append(f'{name} is larger than {limits.megabytes} MB')
        else:
            review.add(detector, path, name, limits)
    if len(files) > limits.files:
        review.problems.append(
            f'{len(files) - limits.files} files were left out: {limits.files} go at once'
        )
    return review


def _shrunk(image: np.ndarray) -> np.ndarray:
    factor = SHOWN / max(image.shape[:2])
    if factor >= 1:
        return image
    size = (max(round(image.shape[1] * factor), 1), max(round(image.shape[0] * factor), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
