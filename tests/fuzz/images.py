"""Damaged image files, read as training, inference and conversion read them."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
from PIL import Image

from mmdet_cleargrasp.datasets.images import check_image, read_image, read_orientation, read_size
from mmdet_cleargrasp.utils.errors import DataError

from .mutations import change_bytes
from .runs import Case, Found

#: Limit of pixels, that few files ask for more than a few megabytes of.
MAX_PIXELS = 4_000_000
#: Format, mode and options of the files that are damaged.
KINDS = (
    ('JPEG', 'RGB', {}), ('JPEG', 'RGB', {'progressive': True}), ('JPEG', 'L', {}),
    ('JPEG', 'CMYK', {}), ('JPEG', 'RGB', {'exif': 6}),
    ('PNG', 'RGB', {}), ('PNG', 'RGBA', {}), ('PNG', 'P', {}), ('PNG', 'I;16', {}),
    ('TIFF', 'RGB', {}), ('TIFF', 'L', {'compression': 'tiff_lzw'}),
    ('TIFF', 'RGB', {'compression': 'tiff_deflate'}), ('TIFF', 'RGB', {'compression': 'jpeg'}),
    ('TIFF', 'I;16', {}), ('BMP', 'RGB', {}), ('WEBP', 'RGB', {}),
)  # fmt: skip


def encoded(kind: str, mode: str, options: dict[str, object]) -> bytes:
    """A file of 40 x 30 pixels."""
    values = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
    image = Image.fromarray(values)
    if mode == 'I;16':
        image = Image.fromarray(values[..., 0].astype(np.uint16) * 200)
    elif mode != 'RGB':
        image = image.convert(mode)
    options = dict(options)
    if 'exif' in options:
        exif = Image.Exif()
        exif[0x0112] = options['exif']
        options['exif'] = exif
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def make_case(_folder: Path) -> Case:
    """The cases change files of :data:`KINDS`."""
    files = [encoded(*kind) for kind in KINDS]

    def case(rng: random.Random, work: Path) -> str:
        number = rng.randrange(len(files))
        content = files[number]
        for _ in range(rng.randint(1, 3)):
            near = min(len(content), rng.choice([64, 200, len(content)]))
            content = change_bytes(content[:near], rng) + content[near:]
        if rng.random() < 0.05:
            content += rng.choice(files)
        path = work / 'image.jpg'
        path.write_bytes(content)
        return f'{KINDS[number][0]} {read(path)}'

    return case


def read(path: Path) -> str:
    """Read a file in every way; the sizes have to agree."""
    sizes = set()
    for reader in (read_size, check_image, read_orientation):
        try:
            found = reader(path)
        except DataError as error:
            if path.name not in str(error):
                raise Found(f'a message without the file: {error}') from error
        else:
            if reader is read_size:
                sizes.add(found)
    try:
        image = read_image(path, max_pixels=MAX_PIXELS)
    except DataError:
        return 'refused'
    sizes.add((image.shape[1], image.shape[0]))
    if image.dtype != np.uint8 or image.shape[2:] != (3,) or len(sizes) != 1:
        raise Found(f'{image.dtype} of {image.shape}, sizes {sizes}')
    return 'read'
