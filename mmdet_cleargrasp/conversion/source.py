"""The common form of all formats: images with boxes, and everything that was skipped."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..datasets.images import IMAGE_SUFFIXES, read_orientation, read_size
from ..utils.errors import DataError
from .folder import Folder, NotFound
from .labels import Labels, Picture
from .orientation import Pixels
from .settling import Annotated, Unusable, same_proof, settle

#: Number of reasons in the message if nothing could be converted.
REASONS = 5


@dataclass(frozen=True)
class Skipped:
    """Something that was skipped.

    Attributes:
        what: The image or file, relative to the source.
        reason: Why.
        kind: ``'image'`` with all its boxes, ``'labels'`` without an image, ``'box'`` of an image
            that was kept, ``'unannotated'`` image, or another ``'file'``.
        detail: The file, line or id at fault.
    """

    what: str
    reason: str
    kind: Literal['image', 'labels', 'box', 'unannotated', 'file'] = 'image'
    detail: str = ''

    @property
    def where(self) -> str:
        """What was skipped, and the file, line or id at fault."""
        return f'{self.what}: {self.detail}' if self.detail else self.what


@dataclass
class Source:
    """A source data set.

    Attributes:
        folder: Its files.
        classes: Class names in the order in which it lists them.
        no_classes: Listed names that are not classes unless a box has them, with the reason.
        pictures: By path, once :meth:`finish` was called.
        skipped: Everything that was skipped.
        notes: Assumptions that were made.
        annotation_images: Image files that are annotations, such as masks.
        told_splits: Splits of images without annotation, if the source has them.
        missing_is_negative: Whether the format has no annotation for images without plates.
    """

    folder: Folder
    classes: list[str] = field(default_factory=list)
    no_classes: dict[str, str] = field(default_factory=dict)
    pictures: dict[Path, Picture] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    annotation_images: set[Path] = field(default_factory=set)
    told_splits: dict[Path, str] = field(default_factory=dict)
    missing_is_negative: bool = False
    _labels: dict[Path, list[Labels]] = field(default_factory=lambda: defaultdict(list))
    _unusable: set[Path] = field(default_factory=set)

    def add(self, image: Path, labels: Labels) -> None:
        """Add the annotations of an image in one file."""
        self._labels[image].append(labels)

    def skip_file(self, path: Path, reason: str) -> None:
        """Skip a file without annotations of this format."""
        self.skipped.append(Skipped(self.folder.name(path), reason, 'file'))

    def skip_ignored(self, path: Path, reason: str) -> None:
        """Skip a link, device or the like; folders and images are reported as images."""
        wanted = path.suffix.lower() in IMAGE_SUFFIXES or path.is_dir()
        kind: Literal['image', 'file'] = 'image' if wanted else 'file'
        self.skipped.append(Skipped(self.folder.name(path), reason, kind))

    def skip_unannotated(self, image: Path) -> None:
        """Skip an image without annotation."""
        self.skipped.append(Skipped(self.folder.name(image), 'it has no annotation', 'unannotated'))

    def skip_orphan(self, path: Path, reason: str, detail: str = '') -> None:
        """Skip an annotation file, or an entry of one, without an image."""
        self.skipped.append(Skipped(self.folder.name(path), reason, 'labels', detail))

    def skip_unreadable(self, path: Path, reason: str) -> None:
        """Skip an annotation file that cannot be read, and the image with its name."""
        if not self._skip_image_of(path, reason):
            self.skip_orphan(path, reason)

    def skip_foreign(self, path: Path, reason: str) -> None:
        """Skip a file that is not of this format, and the image with its name."""
        if not self._skip_image_of(path, reason):
            self.skip_file(path, reason)

    def _skip_image_of(self, path: Path, reason: str) -> bool:
        try:
            image = self.folder.find_by_stem(path.stem, path)
        except NotFound:
            return False
        self.skip_image(image, reason, self.folder.name(path))
        return True

    def skip_box(self, image: Path, reason: str, detail: str = '') -> None:
        """Skip a box of an image."""
        self.skipped.append(Skipped(self.folder.name(image), reason, 'box', detail))

    def skip_image(self, image: Path, reason: str, detail: str = '') -> None:
        """Skip an image, even if other files have annotations of it."""
        self._unusable.add(image)
        self.pictures.pop(image, None)
        self.skipped.append(Skipped(self.folder.name(image), reason, 'image', detail))

    def add_negative(self, image: Path) -> None:
        """Add an image without plates; not if it can't be read."""
        size = self._size(image)
        if size:
            split = self.told_splits.get(image) or self.folder.split(image)
            self.pictures[image] = Picture(image, *size, (), split)

    def unannotated(self) -> list[Path]:
        """Images without annotation."""
        known = self.pictures.keys() | self._unusable | self.annotation_images
        return [path for path in self.folder.images if path not in known]

    def finish(self, drawn: Pixels | None = None) -> Source:
        """Make pictures of the annotations, and complete the classes.

        Args:
            drawn: Whether boxes were drawn with EXIF rotation applied, if this is unknown.
        """
        sizes = {path: size for path in sorted(self._labels) if (size := self._size(path))}
        annotated = [
            Annotated(path, size, read_orientation(path), self._labels[path])
            for path, size in sizes.items()
            if path not in self._unusable
        ]
        drawn = drawn or same_proof(annotated)
        for image in annotated:
            try:
                settled = settle(self.folder, image, drawn)
            except Unusable as fault:
                for reason, detail in fault.reasons:
                    self.skip_image(image.path, reason, detail)
                continue
            self.pictures[image.path] = settled.picture
            self.notes += settled.notes
            for detail, reason in settled.faults:
                self.skip_box(image.path, reason, detail)
        used = {box.label for picture in self.pictures.values() for box in picture.boxes}
        for name, reason in self.no_classes.items():
            if name in self.classes and name not in used:
                self.classes.remove(name)
                self.notes.append(f'{name!r} is not a class: {reason}')
        self.classes = list(dict.fromkeys([*self.classes, *sorted(used)]))
        counts = Counter(self.notes)
        self.notes = [f'{note} ({n} times)' if n > 1 else note for note, n in counts.items()]
        return self

    def reasons(self) -> str:
        """The most frequent reasons for skipping, one per line, with an example."""
        kept = [s for s in self.skipped if s.kind in ('image', 'labels')] or self.skipped
        by_reason: dict[str, list[str]] = defaultdict(list)
        for skipped in kept:
            by_reason[skipped.reason].append(skipped.where)
        most = sorted(by_reason.items(), key=lambda item: -len(item[1]))[:REASONS]
        return '\n'.join(f'  {len(where)} x {reason} ({where[0]})' for reason, where in most)

    def _size(self, path: Path) -> tuple[int, int] | None:
        try:
            return read_size(path)
        except DataError as error:
            self.skip_image(path, str(error).replace(str(path), 'the image', 1))
            return None
