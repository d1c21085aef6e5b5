"""Reading photographs and scans: one reader for training, testing, inference, page and conversion.

:func:`read_image` reads JPEG, PNG, TIFF, BMP, WebP, HEIC and AVIF, recognized by content. EXIF
orientation is applied, gray and CMYK become RGB, transparent pixels become white, and 10- to 16-bit
values are scaled to 8 bits. Files without one correct reading (truncated, several pages, floating
point, camera raw) are refused. :class:`.LoadPhotograph` is the same reader as a transform of
MMDetection's pipelines.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import stat
import struct
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from ..utils.errors import DataError

#: Formats that are read; others of Pillow's may start external programs.
FORMATS = ('JPEG', 'PNG', 'TIFF', 'BMP', 'WEBP', 'HEIF', 'AVIF')
#: Their usual names.
FORMAT_NAMES = ('JPEG', 'PNG', 'TIFF', 'BMP', 'WebP', 'HEIC', 'AVIF')

#: Usual suffixes of these formats. Other names are recognized by content, see :func:`is_image`.
IMAGE_SUFFIXES = (
    '.jpg', '.jpeg', '.jfif', '.png', '.tif', '.tiff', '.bmp', '.webp', '.heic', '.heif', '.avif',
)  # fmt: skip

#: Suffixes of camera raw files, many of which are TIFF files around a small preview.
RAW_SUFFIXES = ('.3fr', '.arw', '.cr2', '.cr3', '.dng', '.nef', '.orf', '.pef', '.raf', '.rw2')

#: Pillow's limit against decompression bombs; an A4 page at 1200 dpi has 139 million pixels.
MAX_PIXELS = 2 * 89_478_485

#: Longer images have no pixels left after resizing: maximum ratio of the sides.
MAX_ASPECT = 100

#: First bytes of image formats, as (offset, bytes, name).
SIGNATURES = (
    (0, b'\xff\xd8\xff', 'JPEG'),
    (0, b'\x89PNG\r\n\x1a\n', 'PNG'),
    (0, b'II*\0', 'TIFF'),
    (0, b'MM\0*', 'TIFF'),
    (0, b'II+\0', 'TIFF'),
    (0, b'MM\0+', 'TIFF'),
    (8, b'WEBP', 'WebP'),
    (0, b'GIF8', 'GIF'),
    (0, b'\0\0\0\x0cjP  ', 'JPEG 2000'),
    (0, b'\xff\x4f\xff\x51', 'JPEG 2000'),
    (0, b'\0\0\0\x0cJXL ', 'JPEG XL'),
    (0, b'8BPS', 'Photoshop'),
    (0, b'v/1\x01', 'OpenEXR'),
    (0, b'FUJIFILMCCD-RAW', 'camera raw'),
    (0, b'IIU\0', 'camera raw'),
    (0, b'IIR', 'camera raw'),
    (0, b'ZISRAWFILE', 'Zeiss CZI'),
    (128, b'DICM', 'DICOM'),
)
#: Brands of ISO media files that hold a still image.
BRANDS = {
    **dict.fromkeys(('heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'mif1', 'msf1'), 'HEIC'),
    **dict.fromkeys(('avif', 'avis'), 'AVIF'),
    'crx ': 'camera raw',
}

#: Bytes that the end of a complete file contains.
END_MARKS = {'JPEG': b'\xff\xd9', 'MPO': b'\xff\xd9', 'PNG': b'IEND'}
#: Header of EXIF data in a JPEG.
EXIF_BYTES = 2**17
END_BYTES = 64

#: JPEG markers of a frame header, for all kinds of coding.
FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

#: Maximum number of characters of a path in a message.
LONGEST_NAME = 300

_ORIENTATION = 0x0112  # EXIF tag
_DNG_VERSION = 50706  # TIFF tag
#: How pixels are turned upright, by EXIF orientation.
_UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.flip(pixels, -1),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.flip(cv2.transpose(pixels), -1),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def read_image(
    path: str | Path,
    max_pixels: int = MAX_PIXELS,
    channel_order: Literal['rgb', 'bgr'] = 'rgb',
) -> np.ndarray:
    """Read a photograph or scan, upright and in color.

    Values of 10 to 16 bits are scaled to 8 bits, from the smallest of 8, 10, 12, 14 and 16 bits
    that fits the image's largest value.

    Args:
        path: A local file in one of :data:`FORMATS`.
        max_pixels: Larger images are refused before they are decoded; at most :data:`MAX_PIXELS`.
        channel_order: As in ``mmcv.imread``.

    Returns:
        uint8 (H, W, 3).

    Raises:
        DataError: No such file, not one of the formats, truncated, too large, several pages, or
            pixels without one way to show them.

    Example:
        >>> read_image('plates/none.jpg')
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.DataError: no image at plates/none.jpg (...
    """
    path = _find_image(path)
    bgr = _read_plain_jpeg(path, max_pixels)
    if bgr is None:
        bgr = _read_with_pillow(path, max_pixels)
    return bgr if channel_order == 'bgr' else cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def read_size(path: str | Path, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height of an image as :func:`read_image` returns it, from its header alone.

    Args:
        path: A local file in one of :data:`FORMATS`.
        max_pixels: Larger images are refused.

    Raises:
        DataError: No such file, not one of the formats or too large.
    """
    with _opened(_find_image(path), max_pixels) as image:
        return _upright_size(image)


def read_orientation(path: str | Path) -> int:
    """EXIF orientation of an image, from 1 (stored upright) to 8, from its header alone.

    Args:
        path: A local file in one of :data:`FORMATS`.

    Raises:
        DataError: As :func:`read_size`.
    """
    path = find_file(path)
    with _opened(path, MAX_PIXELS) as image:
        return _orientation(image)


class Header(NamedTuple):
    """What the header of an image says.

    Attributes:
        size: Width and height as :func:`read_image` returns it, in pixels.
        orientation: Of EXIF, from 1 (stored upright) to 8.
    """

    size: tuple[int, int]
    orientation: int


def check_image(path: str | Path) -> Header:
    """Check that an image can be read, without decoding it unless it looks truncated.

    Args:
        path: A local file in one of :data:`FORMATS`.

    Raises:
        DataError: As :func:`read_image`, as far as header and end of the file show.
    """
    path = _find_image(path)
    with _opened(path, MAX_PIXELS) as image:
        _refuse_unreadable(path, image)
        complete = _is_complete(path, image)
        header = Header(_upright_size(image), _orientation(image))
    if not complete:
        read_image(path)
    return header


def is_image(path: str | Path) -> bool:
    """Whether a file is an image by its suffix or content, in a supported format or not.

    Used to list folders, so that a file with an unusual name or in an unsupported format is
    reported instead of silently skipped.
    """
    suffix = Path(path).suffix.lower()
    return suffix in IMAGE_SUFFIXES + RAW_SUFFIXES or image_format(path) is not None


def image_format(path: str | Path) -> str | None:
    """Name of an image's format by its first bytes; ``None`` for other files.

    Example:
        >>> image_format('setup.cfg') is None
        True
    """
    try:
        if not Path(path).is_file():
            return None
        with open(path, 'rb') as file:
            start = file.read(132)
    except OSError:
        return None
    if start[4:8] == b'ftyp':
        return BRANDS.get(start[8:12].decode('latin-1'))
    if start[:2] == b'BM' and start[6:10] == bytes(4):
        return 'BMP'
    for offset, mark, name in SIGNATURES:
        if start[offset:].startswith(mark):
            return name
    return None


def find_file(path: str | Path) -> Path:
    """The path in the file system's Unicode normalization.

    macOS writes an umlaut as two characters (NFD), most other systems and tools as one (NFC), so
    names in annotation files and on the disk may look the same and differ.

    Args:
        path: As in an annotation file or from a user.

    Returns:
        The existing path, or ``path`` if there is none.
    """
    path = Path(path)
    if os.path.lexists(path) or str(path).isascii():
        return path
    found = Path(path.anchor)
    for part in path.parts[bool(path.anchor) :]:
        exact = found / part
        if not os.path.lexists(exact):
            exact = found / _normalized_names(found).get(normalized(part), part)
        found = exact
    return found if os.path.lexists(found) else path


def normalized(name: str) -> str:
    """A name in Unicode's composed form (NFC), for comparison."""
    return unicodedata.normalize('NFC', name)


def is_url(text: str | Path) -> bool:
    """Whether a text is a URL.

    Example:
        >>> is_url('https://example.org/plate.jpg'), is_url('plate.jpg'), is_url('C://plate.jpg')
        (True, False, False)
    """
    return re.match(r'[a-zA-Z][a-zA-Z0-9+.-]+:/', str(text)) is not None


def _normalized_names(folder: Path) -> dict[str, str]:
    try:
        return _listed(folder, os.stat(folder).st_mtime_ns)
    except OSError:
        return {}


@functools.lru_cache(maxsize=64)
def _listed(folder: Path, _modified: int) -> dict[str, str]:
    return {normalized(name): name for name in os.listdir(folder)}


@contextlib.contextmanager
def _opened(path: Path, max_pixels: int) -> Iterator[ImageFile]:
    """Open an image's header; whatever Pillow raises, here or while decoding, is a DataError."""
    try:
        with warnings.catch_warnings():
            # Pillow warns at half its limit, and about metadata that is not used here.
            warnings.simplefilter('ignore')
            with open(path, 'rb') as file, _open_header(path, file) as image:
                pixels = image.width * image.height
                if pixels > max_pixels:
                    raise DataError(_too_large(path, f'{pixels:,}', max_pixels))
                yield image
    except Image.DecompressionBombError as error:
        raise DataError(_too_large(path, f'over {MAX_PIXELS:,}', max_pixels)) from error
    except UnidentifiedImageError as error:
        raise DataError(f'{path} {_why_unidentified(image_format(path))}') from error
    except PermissionError as error:
        raise DataError(f'{path} may not be read: {error.strerror}') from error
    except MemoryError as error:
        raise DataError(f'{path} does not fit into memory. Save it smaller.') from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError) as error:
        # Pillow's exceptions for broken files, by format.
        raise DataError(
            f'{path} is broken or truncated ({error}). Copy it again from its source.'
        ) from error
    except (cv2.error, RuntimeError) as error:  # libheif raises RuntimeError
        raise DataError(f'{path} cannot be decoded ({error}). Save it as JPEG or PNG.') from error


def _why_unidentified(kind: str | None) -> str:
    if kind in FORMAT_NAMES:
        return f'is broken or truncated ({kind}). Copy it again from its source, or as JPEG.'
    found = 'is not an image, or of a' if kind is None else f'is {kind}, a'
    return (
        f'{found} format that is not read here (expected {", ".join(FORMAT_NAMES)}). Save it as '
        'JPEG or PNG.'
    )


def _open_header(path: Path, file: BinaryIO) -> ImageFile:
    try:
        return Image.open(file, formats=_installed_formats())
    except UnidentifiedImageError:
        kind = image_format(path)
        if kind not in ('HEIC', 'AVIF'):
            raise
        _register_heif()
        if {'HEIC': 'HEIF', 'AVIF': 'AVIF'}[kind] not in Image.OPEN:
            raise DataError(
                f'{path} is a {kind} image, which cannot be read with what is installed: pip '
                "install 'mmdet_cleargrasp[heic]', or save it as JPEG"
            ) from None
        return Image.open(file, formats=_installed_formats())


def _installed_formats() -> list[str]:
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _register_heif() -> None:
    """Register HEIC with Pillow at the first such file, not on import."""
    with contextlib.suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()


def _find_image(path: str | Path) -> Path:
    """An existing regular file that is not empty."""
    if is_url(path):
        raise DataError(f'{path} is a URL, and nothing is downloaded: download it first')
    try:
        path = find_file(path)
        status = os.stat(path)
    except FileNotFoundError as error:
        raise DataError(f'no image at {path} (looked from {Path.cwd()})') from error
    except (OSError, ValueError) as error:  # a name of over 255 bytes, a loop of links, a null byte
        raise DataError(f'{str(path)[:LONGEST_NAME]} cannot be opened: {error}') from error
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f'{path} is not a file, expected an image')
    if not status.st_size:
        raise DataError(f'{path} is empty (0 bytes). Copy it again from its source.')
    return path


def _too_large(path: Path, pixels: str, max_pixels: int) -> str:
    return (
        f'{path} has {pixels} pixels, more than the {max_pixels:,} that are read at once. Crop it '
        'or save it smaller.'
    )


def _refuse_unreadable(path: Path, image: ImageFile) -> None:
    """Refuse files that would be read as something else than their photograph."""
    if isinstance(image, TiffImageFile) and (
        path.suffix.lower() in RAW_SUFFIXES or _DNG_VERSION in image.tag_v2
    ):
        raise DataError(f'{path} is a camera raw file, of which only a preview could be read: '
                        'export it as JPEG or TIFF')  # fmt: skip
    _refuse_stacks(path, image)
    if image.mode == 'F' or (image.mode == 'I' and not _has_sixteen_bits(image)):
        raise DataError(f'{path} has 32 bits per channel, expected 8 or 16: save it so')


def _refuse_stacks(path: Path, image: Image.Image) -> None:
    """Refuse several images of one size; smaller ones are previews, and so are those of MPO."""
    pictures = getattr(image, 'n_frames', 1)
    if image.format in ('MPO', 'HEIF') or pictures == 1:
        return
    size = image.size
    image.seek(1)
    if image.size == size:
        raise DataError(
            f'{path} holds {pictures} pictures, expected one: save each as a separate file'
        )
    image.seek(0)


def _orientation(image: Image.Image) -> int:
    orientation = image.getexif().get(_ORIENTATION, 1)
    return orientation if orientation in _UPRIGHT else 1


def _upright_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    if isinstance(image, TiffImageFile):  # newer versions of Pillow report the upright size
        width, height = image.tag_v2[256], image.tag_v2[257]
    return (height, width) if _orientation(image) in (5, 6, 7, 8) else (width, height)


def _is_complete(path: Path, image: ImageFile) -> bool:
    """Whether a file is certainly complete."""
    size = path.stat().st_size
    if isinstance(image, TiffImageFile):
        # Offsets and lengths of strips or tiles.
        tags = image.tag_v2
        starts, lengths = ((tags.get(a) or tags.get(b) or ()) for a, b in ((273, 324), (279, 325)))
        return bool(lengths) and max(map(sum, zip(starts, lengths, strict=False))) <= size
    if image.format not in END_MARKS or image.fp is None:
        return False
    image.fp.seek(max(0, size - END_BYTES))
    return END_MARKS[image.format] in image.fp.read()  # some cameras append data


def _has_sixteen_bits(image: ImageFile) -> bool:
    return any(';16' in str(tile[3]) for tile in image.tile) or image.mode.startswith('I;16')


def _read_plain_jpeg(path: Path, max_pixels: int) -> np.ndarray | None:
    """A complete gray or color JPEG by OpenCV, upright, in BGR order; ``None`` for other files.

    The pixels are the same as Pillow's, which is 10 % slower.
    """
    try:
        with open(path, 'rb', buffering=0) as file:
            if file.read(3) != b'\xff\xd8\xff':
                return None
            file.seek(0)
            data = file.readall()
    except OSError:
        return None
    pixels = _pixels_of_plain_jpeg(data)
    if not 0 < pixels <= max_pixels or END_MARKS['JPEG'] not in data[-END_BYTES:]:
        return None
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if bgr is not None and b'Exif' in data[:EXIF_BYTES]:
        # Libraries differ in how they read a damaged orientation.
        return bgr if bgr.shape[1::-1] == read_size(path, max_pixels) else None
    return bgr


def _pixels_of_plain_jpeg(data: bytes) -> int:
    """Width times height of a JPEG with 8 bits and 1 or 3 channels; 0 for other files."""
    position = 2
    while data[position : position + 1] == b'\xff' and position + 10 <= len(data):
        marker, length = (
            data[position + 1],
            int.from_bytes(data[position + 2 : position + 4], 'big'),
        )
        if marker in FRAME_MARKERS:
            bits, height, width, channels = struct.unpack_from('>BHHB', data, position + 4)
            return width * height if bits == 8 and channels in (1, 3) else 0
        if marker == 0xE1 and b'tiff:Orientation' in data[position : position + length]:
            return 0  # in XMP, which OpenCV does not read
        position += 2 + length
    return 0


def _read_with_pillow(path: Path, max_pixels: int) -> np.ndarray:
    """Any image, upright, uint8 (H, W, 3) in BGR order."""
    with _opened(path, max_pixels) as image:
        _refuse_unreadable(path, image)
        bgr = _decode(path, image)
        turn = _UPRIGHT.get(_orientation(image))
        return turn(bgr) if turn else np.ascontiguousarray(bgr)


def _decode(path: Path, file: ImageFile) -> np.ndarray:
    """Pixels as stored, uint8 (H, W, 3) in BGR order; Pillow rotates TIFF and HEIC itself."""
    image = _scaled_to_bytes(path, file) if _has_sixteen_bits(file) else file
    if image.has_transparency_data:
        image = image.convert('RGBA')
        image = Image.alpha_composite(Image.new('RGBA', image.size, 'white'), image)
    return cv2.cvtColor(np.asarray(image.convert('RGB')), cv2.COLOR_RGB2BGR)


def _scaled_to_bytes(path: Path, image: Image.Image) -> Image.Image:
    """A 16-bit file scaled to 8 bits; Pillow would lose bits."""
    image.load()  # fails for truncated files, which OpenCV accepts
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise DataError(f'{path} cannot be read as 16 bits per channel. Save it with 8 bits.')
    if sorted(pixels.shape[:2]) != sorted(image.size):  # readers differ if there are two tags
        raise DataError(f'{path} is broken: it states two sizes. Save it again.')
    alpha, colors = None, pixels
    if pixels.ndim == 3:
        alpha, colors = (pixels[..., 3] if pixels.shape[2] == 4 else None), pixels[..., 2::-1]
    bits = next(bits for bits in (8, 10, 12, 14, 16) if colors.max(initial=0) < 2**bits)
    small = Image.fromarray(_to_bytes(colors, bits)).convert('RGB')
    if alpha is not None:
        small.putalpha(Image.fromarray(_to_bytes(alpha, 16)))
    return small


def _to_bytes(values: np.ndarray, bits: int) -> np.ndarray:
    """Scale values of a number of bits to uint8; the largest possible value is 255."""
    return np.ascontiguousarray((values.astype(np.float32) * (255 / (2**bits - 1))).round(), 'u1')
