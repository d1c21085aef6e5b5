"""The split of a folder, file or subset by its name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePath

#: Splits, in the order train, val, test, with their usual names.
SPLIT_NAMES = {
    'train': ('train', 'training', 'trainset'),
    'val': ('val', 'valid', 'validation', 'valset', 'validationset', 'dev'),
    'test': ('test', 'testing', 'testset'),
}
SPLITS = tuple(SPLIT_NAMES)
WORDS = {word: split for split, names in SPLIT_NAMES.items() for word in names}
#: Words that may be combined with a split's name.
NEUTRAL = re.compile(
    r'(annotations?|coco|data|images?|imgs?|instances?|jpegimages|json|labels?|obj|photos?|'
    r'pictures?|set|splits?|voc|yolo|bbox(es)?|(19|20)\d\d)*'
)


def split_of(name: str) -> str | None:
    """The split of a subset's name: one with exactly one split name in it.

    Example:
        >>> split_of('Validation'), split_of('training set B'), split_of('week 1')
        ('val', 'train', None)
    """
    found = _template(name)
    return found[1] if found else None


class SplitFolders:
    """The splits of a folder's files by the names of files and folders.

    A name counts if it has no other words (``train2017``, ``images_train``), or if another name in
    the same folder differs only in the split (``plates_train``, ``plates_test``): ``test series 3``
    is not a split.

    Args:
        paths: Of all files, relative to the folder.

    Example:
        >>> paths = [PurePath('obj_train_data/a.jpg'), PurePath('test series 3/b.jpg')]
        >>> [SplitFolders(paths).split(path) for path in paths]
        ['train', None]
    """

    def __init__(self, paths: Iterable[PurePath]) -> None:
        siblings: dict[tuple[PurePath, str], set[str]] = defaultdict(set)
        for path in paths:
            for place in (path, *path.parents):
                found = _template(place.stem if place == path else place.name)
                if found:
                    siblings[place.parent, _without_digits(found[0])].add(found[1])
        self._pairs = {key for key, splits in siblings.items() if len(splits) > 1}

    def split(self, path: PurePath, is_image: bool = True) -> str | None:
        """The split of a file by its folders; of an annotation file by its own name first.

        Args:
            path: Relative to the folder.
            is_image: Its own name is ignored: ``train.jpg`` may show a train.
        """
        for place in (path, *path.parents)[is_image:]:
            found = _template(place.stem if place == path else place.name)
            if found and (
                NEUTRAL.fullmatch(found[0].replace('*', ''))
                or (place.parent, _without_digits(found[0])) in self._pairs
            ):
                return found[1]
        return None


def _without_digits(template: str) -> str:
    return re.sub(r'\d', '', template)


def _template(name: str) -> tuple[str, str] | None:
    """A name with ``*`` for its only split name, and that split."""
    words = re.findall(r'[^\W\d_]+|\d+', re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', name))
    words = [word.lower() for word in words]
    found = [WORDS[word] for word in words if word in WORDS]
    if len(found) != 1:
        return None
    return ''.join('*' if word in WORDS else word for word in words), found[0]
