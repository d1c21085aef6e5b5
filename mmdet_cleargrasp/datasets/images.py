"""Reading photographs and scans as people have them, right or not at all.

MMDetection's ``LoadImageFromFile``, which feeds training and testing, gives the same pixels, in BGR
order, for what cameras and phones write: 8-bit JPEG, PNG, TIFF, BMP and WebP in gray or color,
turned as their EXIF says. It differs where it would be wrong without a word:

==========================  ============================  =====================================
file                        ``LoadImageFromFile``         :func:`read_image`
==========================  ============================  =====================================
transparency (PNG, TIFF)    drops it: any hidden color   lays the picture on white
16 bits of which 12 are     divides by 256: almost black  divides by the bits in use
used, as microscopes write
truncated file              gray (OpenCV 4) or a failure  refuses it
several pages               reads the first               refuses it
==========================  ============================  =====================================
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..utils.errors import DataError

#: Formats by their content, whatever the name says; Pillow's others may start other programs.
FORMATS = ('JPEG', 'PNG', 'TIFF', 'BMP', 'WEBP')

#: Names that a folder's images have.
IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.tif', '.tiff', '.bmp', '.webp')

#: Pillow's own bound against files that unpack to more than memory holds; an A4 page at 1200 dpi
#: has 139 million.
MAX_PIXELS = 2 * 89_478_485

#: What the last bytes of a whole file hold.
END_MARKS = {'JPEG': b'\xff\xd9', 'MPO': b'\xff\xd9', 'PNG': b'IEND'}
END_BYTES = 64

_ORIENTATION = 0x0112  # the EXIF tag


def read_image(path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read a photograph or scan, upright and in color.

    Gray becomes three equal channels, CMYK becomes RGB, transparency is laid on white, 16 bits are
    divided down to 8 from the smallest of 8, 10, 12, 14 and 16 bits that holds the largest value.

    Args:
        path: A local file in one of :data:`FORMATS`.
        max_pixels: More are refused before any is unpacked; at most :data:`MAX_PIXELS`.

    Returns:
        uint8 (H, W, 3), RGB.

    Raises:
        DataError: No file, not one of the formats, truncated, too large, of several pages or of a
            kind of pixel that has no one way to show it.

    Example:
        >>> read_image('plates/none.jpg')
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.DataError: no image at plates/none.jpg (...
    """
    with _opened(path, max_pixels) as image:
        _refuse_stacks(path, image)
        if _has_sixteen_bits(image):
            image = _divided_down(path, image)
        _refuse_long_values(path, image)
        image = ImageOps.exif_transpose(image)
        if image.has_transparency_data:
            image = image.convert('RGBA')
            image = Image.alpha_composite(Image.new('RGBA', image.size, 'white'), image)
        return np.array(image.convert('RGB'))


def read_size(path: str | Path, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height of an image as :func:`read_image` gives it, from its header alone.

    Args:
        path: A local file in one of :data:`FORMATS`.
        max_pixels: More are refused.

    Raises:
        DataError: No file, not one of the formats or too large.
    """
    with _opened(path, max_pixels) as image:
        return _upright_size(image)


@dataclass(frozen=True)
class ImageFacts:
    """What a file's header and end say of it.

    Attributes:
        width: In pixels, as :func:`read_image` gives it; ``height`` likewise.
        as_in_training: MMDetection reads the same pixels.
    """

    width: int
    height: int
    as_in_training: bool


def inspect_image(path: str | Path) -> ImageFacts:
    """Look at an image without decoding it, unless it looks cut off.

    Args:
        path: A local file in one of :data:`FORMATS`.

    Raises:
        DataError: :func:`read_image` would raise it, as far as header and end show.
    """
    with _opened(path, MAX_PIXELS) as image:
        _refuse_stacks(path, image)
        sixteen_bits = _has_sixteen_bits(image)
        if not sixteen_bits:
            _refuse_long_values(path, image)
        same = not (sixteen_bits or image.has_transparency_data)
        whole = _ends_as_it_should(path, image)
        width, height = _upright_size(image)
    if not whole:
        read_image(path)
    return ImageFacts(width, height, same)


def is_url(text: str | Path) -> bool:
    """Whether a text names something in the network: nothing here fetches it.

    Example:
        >>> is_url('https://example.org/plate.jpg'), is_url('plate.jpg'), is_url('C://plate.jpg')
        (True, False, False)
    """
    return re.match(r'[a-zA-Z][a-zA-Z0-9+.-]+:/', str(text)) is not None


@contextlib.contextmanager
def _opened(path: str | Path, max_pixels: int) -> Iterator[Image.Image]:
    """Open the header; whatever Pillow raises, here or while pixels are read, is told as one."""
    _check_is_file(path)
    try:
        with warnings.catch_warnings():
            # Pillow warns of half its bound, and of tags that hold nothing we read.
            warnings.simplefilter('ignore')
            with Image.open(path, formats=FORMATS) as image:
                pixels = image.width * image.height
                if pixels > max_pixels:
                    raise DataError(_too_large(path, f'{pixels:,}', max_pixels))
                yield image
    except Image.DecompressionBombError as error:
        raise DataError(_too_large(path, f'over {MAX_PIXELS:,}', max_pixels)) from error
    except UnidentifiedImageError as error:
        raise DataError(
            f'{path} is no image, or of a format that is not read here (expected '
            f'{", ".join(FORMATS)}). Save it as JPEG or PNG.'
        ) from error
    except PermissionError as error:
        raise DataError(f'{path} may not be read: {error.strerror}') from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError) as error:
        # What Pillow raises on broken files, by format.
        raise DataError(
            f'{path} is broken or truncated ({error}). Copy it again from where it came.'
        ) from error


def _check_is_file(path: str | Path) -> None:
    if is_url(path):
        raise DataError(f'{path} is a URL, and nothing is fetched: download it first')
    file = Path(path)
    if not file.exists():
        raise DataError(f'no image at {path} (looked from {Path.cwd()})')
    if not file.is_file():
        raise DataError(f'{path} is no file, expected an image')
    if not file.stat().st_size:
        raise DataError(f'{path} is empty (0 bytes). Copy it again from where it came.')


def _too_large(path: str | Path, pixels: str, max_pixels: int) -> str:
    return (
        f'{path} has {pixels} pixels, more than the {max_pixels:,} that are read at once. Cut it '
        'into parts or save it smaller.'
    )


def _refuse_stacks(path: str | Path, image: Image.Image) -> None:
    """Refuse several pictures of one size; smaller ones are previews, and so are those of MPO."""
    if image.format == 'MPO' or getattr(image, 'n_frames', 1) == 1:
        return
    size = image.size
    image.seek(1)
    if image.size == size:
        raise DataError(
            f'{path} holds {image.n_frames} pictures, expected one: save each as a file of its own'
        )
    image.seek(0)


def _refuse_long_values(path: str | Path, image: Image.Image) -> None:
    if image.mode in ('F', 'I'):
        raise DataError(f'{path} has 32 bits a channel, expected 8 or 16: save it so')


def _upright_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    if image.format == 'TIFF':  # whose size newer Pillows turn upright by themselves
        width, height = image.tag_v2[256], image.tag_v2[257]
    turned = image.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
    return (height, width) if turned else (width, height)


def _ends_as_it_should(path: str | Path, image: Image.Image) -> bool:
    """Whether a file surely is whole; phones append to theirs, so that others may be, too."""
    size = Path(path).stat().st_size
    if image.format == 'TIFF':
        # Strips or tiles: where they begin and how long they are.
        tags = image.tag_v2
        starts, lengths = ((tags.get(a) or tags.get(b) or ()) for a, b in ((273, 324), (279, 325)))
        return bool(lengths) and max(map(sum, zip(starts, lengths, strict=False))) <= size
    if image.format not in END_MARKS:
        return False
    with open(path, 'rb') as file:
        file.seek(max(0, size - END_BYTES))
        return END_MARKS[image.format] in file.read()


def _has_sixteen_bits(image: Image.Image) -> bool:
    return any(';16' in str(tile[3]) for tile in image.tile) or image.mode.startswith('I;16')


def _divided_down(path: str | Path, image: Image.Image) -> Image.Image:
    """8 bits of the 16 of a file, turned and made transparent as it says; Pillow drops bits."""
    image.load()  # raises where the file is truncated, which OpenCV would let pass
    pixels = cv2.imdecode(np.frombuffer(Path(path).read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise DataError(f'{path} cannot be read as 16 bits a channel. Save it with 8 bits.')
    alpha, colors = None, pixels
    if pixels.ndim == 3:
        alpha, colors = (pixels[..., 3] if pixels.shape[2] == 4 else None), pixels[..., 2::-1]
    bits = next(bits for bits in (8, 10, 12, 14, 16) if colors.max(initial=0) < 2**bits)
    small = Image.fromarray(_to_bytes(colors, bits)).convert('RGB')
    if alpha is not None:
        small.putalpha(Image.fromarray(_to_bytes(alpha, 16)))
    # OpenCV turns a TIFF as it reads it, as Pillow does, which then forgets the tag.
    small.getexif()[_ORIENTATION] = image.getexif().get(_ORIENTATION, 1)
    return small


def _to_bytes(values: np.ndarray, bits: int) -> np.ndarray:
    """uint16 of so many bits as uint8, the largest value as 255."""
    return np.ascontiguousarray((values.astype(np.float32) * (255 / (2**bits - 1))).round(), 'u1')
