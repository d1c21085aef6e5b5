"""Groups of test images, such as those of one bench or one camera, with separate figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...datasets.annotations import read_coco
from ...utils.errors import ConfigError


@dataclass(frozen=True)
class ImageGroup:
    """Test images that match a regular expression.

    Attributes:
        name: In the tables.
        pattern: Searched in the texts of an image's entry in the annotations: its file name and
            what else a tool wrote there, such as ``contents`` of this project's renders.
    """

    name: str
    pattern: re.Pattern[str]


def parse_group(text: str) -> ImageGroup:
    """Read a group from a command line.

    Args:
        text: ``NAME=PATTERN``.

    Raises:
        ConfigError: No name, or not a regular expression.

    Example:
        >>> parse_group('white=paper|lightbox').name
        'white'
    """
    name, _, pattern = text.partition('=')
    if not name or not pattern:
        raise ConfigError(f'--group {text}: expected NAME=PATTERN, such as white=paper|lightbox')
    try:
        return ImageGroup(name, re.compile(pattern))
    except re.error as error:
        raise ConfigError(f'--group {text}: not a regular expression: {error}') from error


def group_masks(
    annotations: str | Path, image_ids: Sequence[int | str], groups: Sequence[ImageGroup]
) -> dict[str, np.ndarray]:
    """Which images belong to each group.

    Args:
        annotations: COCO file.
        image_ids: Ids of the I images.
        groups: Groups without images are dropped.

    Returns:
        By name of the group, (I,), bool.
    """
    texts = {
        image['id']: '\n'.join(value for value in image.values() if isinstance(value, str))
        for image in read_coco(annotations).images
    }
    masks = {
        group.name: np.array([bool(group.pattern.search(texts[image])) for image in image_ids])
        for group in groups
    }
    return {name: mask for name, mask in masks.items() if mask.any()}
