import os
import struct
import unicodedata
import zlib
from io import BytesIO

import cv2
import mmcv
import numpy as np
import pytest
from PIL import Image

from mmdet_cleargrasp.datasets import images
from mmdet_cleargrasp.datasets.images import (
    check_image,
    find_file,
    image_format,
    is_image,
    read_image,
    read_size,
)
from mmdet_cleargrasp.utils.errors import DataError

# A corner, so that a turn shows, over a smooth ground, so that JPEG keeps the colors.
COLORS = np.full((40, 60, 3), (200, 120, 40), np.uint8)
COLORS[:16, :16] = (20, 60, 220)
ORIENTED = {
    1: COLORS,
    2: COLORS[:, ::-1],
    3: COLORS[::-1, ::-1],
    4: COLORS[::-1],
    5: COLORS.transpose(1, 0, 2),
    6: COLORS.transpose(1, 0, 2)[:, ::-1],
    7: COLORS[::-1, ::-1].transpose(1, 0, 2),
    8: COLORS.transpose(1, 0, 2)[::-1],
}
GRAY16 = np.linspace(0, 1, 60, dtype=np.float32)[None].repeat(40, 0)


def png_of_size(width, height):
    """A valid header that promises more pixels than the file holds."""
    chunk = b'IHDR' + struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    data = b'IDAT' + zlib.compress(b'\0' * 1000)
    parts = [b'\x89PNG\r\n\x1a\n']
    for body in (chunk, data, b'IEND'):
        parts.append(struct.pack('>I', len(body) - 4) + body + struct.pack('>I', zlib.crc32(body)))
    return b''.join(parts)


def encoded(kind, image=None, **options):
    stream = BytesIO()
    (image or Image.fromarray(COLORS)).save(stream, kind, **options)
    return stream.getvalue()


def near(found, expected, tolerance=6):
    assert found.dtype == np.uint8
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).max() <= tolerance


@pytest.mark.parametrize('orientation', ORIENTED)
@pytest.mark.parametrize('suffix', ['jpg', 'png', 'tiff', 'webp'])
def test_orientation_is_applied(suffix, orientation, tmp_path):
    path = tmp_path / f'x.{suffix}'
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(COLORS).save(path, exif=exif, quality=100, subsampling=0, lossless=True)
    near(read_image(path), ORIENTED[orientation])
    size = ORIENTED[orientation].shape[1::-1]
    assert read_size(path) == size and check_image(path) == (size, orientation)


@pytest.mark.parametrize('orientation', ORIENTED)
@pytest.mark.parametrize('mode', ['RGB', 'L'])
def test_jpeg_is_pixel_equal_to_what_mmcv_reads(mode, orientation, tmp_path, monkeypatch):
    path = tmp_path / 'x.jpg'
    exif = Image.Exif()
    exif[0x0112] = orientation
    noise = np.random.default_rng(orientation).integers(0, 256, (37, 53, 3), 'u1')
    Image.fromarray(noise).convert(mode).save(path, exif=exif)
    expected = mmcv.imread(str(path))
    assert np.array_equal(read_image(path, channel_order='bgr'), expected)
    monkeypatch.setattr(images, '_read_plain_jpeg', lambda *_: None)  # Pillow's way
    assert np.array_equal(read_image(path, channel_order='bgr'), expected)


def test_orientation_in_xmp_alone_is_applied(tmp_path):
    packet = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    Image.fromarray(COLORS).save(tmp_path / 'x.jpg', xmp=packet, quality=100, subsampling=0)
    near(read_image(tmp_path / 'x.jpg'), ORIENTED[6])
    assert read_size(tmp_path / 'x.jpg') == (40, 60)


def gray(pixels):
    return np.repeat(pixels[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ('bits', 'divisor'), [(8, 255), (10, 1023), (12, 4095), (14, 16383), (16, 65535)]
)
@pytest.mark.parametrize('suffix', ['png', 'tiff'])
def test_sixteen_bits_fill_eight(suffix, bits, divisor, tmp_path):
    path = tmp_path / f'x.{suffix}'
    values = (GRAY16 * divisor).astype(np.uint16)
    cv2.imwrite(str(path), values)
    near(read_image(path), gray((GRAY16 * 255).astype(np.uint8)), tolerance=1)
    cv2.imwrite(str(path), np.dstack([values, values // 2, values // 4]))  # BGR
    expected = np.dstack([GRAY16 / 4, GRAY16 / 2, GRAY16]) * 255
    near(read_image(path), expected.astype(np.uint8), tolerance=1)


@pytest.mark.parametrize('orientation', ORIENTED)
def test_orientation_of_sixteen_bits(orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(COLORS[..., 0].astype('u2') * 257).save(tmp_path / 'x.tiff', exif=exif)
    near(read_image(tmp_path / 'x.tiff'), gray(ORIENTED[orientation][..., 0]), tolerance=0)
    assert read_size(tmp_path / 'x.tiff') == ORIENTED[orientation].shape[1::-1]


def with_alpha(mode):
    image = Image.fromarray(COLORS).convert(mode)
    image.putalpha(
        Image.fromarray(np.where(np.arange(60) < 30, 255, 0).astype('u1')[None].repeat(40, 0))
    )
    return image


@pytest.mark.parametrize('suffix', ['png', 'tiff', 'webp'])
def test_transparency_lies_on_white(suffix, tmp_path):
    with_alpha('RGB').save(
        tmp_path / f'x.{suffix}', **({'lossless': True} if suffix == 'webp' else {})
    )
    expected = COLORS.copy()
    expected[:, 30:] = 255
    near(read_image(tmp_path / f'x.{suffix}'), expected, tolerance=0)


def test_transparency_of_sixteen_bits_and_of_palettes(tmp_path):
    rgba = np.dstack([COLORS[..., ::-1].astype(np.uint16) * 257, np.full((40, 60), 65535, 'u2')])
    rgba[:, 30:, 3] = 0
    cv2.imwrite(str(tmp_path / 'deep.png'), rgba)
    expected = COLORS.copy()
    expected[:, 30:] = 255
    near(read_image(tmp_path / 'deep.png'), expected, tolerance=0)
    Image.fromarray(COLORS).quantize(4).save(tmp_path / 'palette.png', transparency=0)
    found = read_image(tmp_path / 'palette.png')
    assert (found == 255).all(axis=2).any() and not (found == 255).all()


@pytest.mark.parametrize(
    ('name', 'mode', 'expected'),
    [
        ('cmyk.jpg', 'CMYK', COLORS),
        ('cmyk.tiff', 'CMYK', COLORS),
        ('gray.tiff', 'L', gray(np.asarray(Image.fromarray(COLORS).convert('L')))),
        ('palette.png', 'P', COLORS),
        ('black_and_white.png', '1', None),
    ],
)
def test_other_modes(name, mode, expected, tmp_path):
    Image.fromarray(COLORS).convert(mode).save(tmp_path / name)
    found = read_image(tmp_path / name)
    if expected is None:
        assert set(np.unique(found)) == {0, 255}
    else:
        near(found, expected, tolerance=50 if mode == 'P' else 6)


def test_preview_in_a_file_is_no_second_picture(tmp_path):
    first = Image.fromarray(COLORS)
    for suffix, kind in (('tiff', 'TIFF'), ('jpg', 'MPO')):
        path = tmp_path / f'x.{suffix}'
        first.save(
            path,
            kind,
            save_all=True,
            append_images=[first.resize((6, 4))],
            quality=100,
            subsampling=0,
        )
        near(read_image(path), COLORS)


REFUSED = {
    'zero bytes': (b'', 'is empty'),
    'text': (b'a plate', 'is not an image, or of a format'),
    'svg': (b'<svg xmlns="http://www.w3.org/2000/svg"/>', 'is not an image, or of a format'),
    'postscript, for which Pillow starts Ghostscript': (encoded('EPS'), 'is not an image'),
    'animation': (encoded('GIF'), 'is GIF, a format that is not read here .expected JPEG, PNG'),
    'JPEG 2000': (encoded('JPEG2000'), 'is JPEG 2000, a format'),
    'camera raw, a TIFF around a preview': (encoded('TIFF', tiffinfo={50706: b'\1\4\0\0'}), 'is a camera raw file'),
    'truncated JPEG': (encoded('JPEG', quality=100)[:-400], 'broken or truncated'),
    'JPEG header alone': (encoded('JPEG')[:30], 'is '),
    'truncated PNG': (encoded('PNG')[:-40], 'broken or truncated'),
    'truncated TIFF': (encoded('TIFF')[:3000], 'broken or truncated'),
    'truncated 16 bits': (cv2.imencode('.png', np.random.default_rng(0).integers(0, 4000, (40, 60), 'u2'))[1].tobytes()[:2000], 'broken or truncated'),
    'fewer pixels than promised': (png_of_size(100, 100), 'broken or truncated'),
    'bomb': (png_of_size(50_000, 50_000), 'pixels, more than the 178,956,970'),
    'larger bomb': (png_of_size(2**31 - 1, 2**31 - 1), 'more than the'),
    'stack': (encoded('TIFF', save_all=True, append_images=[Image.fromarray(COLORS)] * 2), 'holds 3 pictures'),
    'floats': (encoded('TIFF', Image.fromarray(GRAY16)), '32 bits per channel'),
    'integers': (encoded('TIFF', Image.fromarray(GRAY16.astype('i4'))), '32 bits per channel'),
}  # fmt: skip


@pytest.mark.parametrize('case', REFUSED)
def test_files_that_are_refused(case, tmp_path):
    content, message = REFUSED[case]
    path = tmp_path / 'x.jpg'
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_image(path)


def test_content_counts_not_the_name(tmp_path):
    Image.fromarray(COLORS).save(tmp_path / 'x.jpg', 'PNG')
    near(read_image(tmp_path / 'x.jpg'), COLORS, tolerance=0)


def test_bound_is_kept_before_pixels_are_read(tmp_path):
    Image.fromarray(COLORS).save(tmp_path / 'x.png')
    assert read_image(tmp_path / 'x.png', max_pixels=2400).shape == COLORS.shape
    with pytest.raises(DataError, match='2,400 pixels, more than the 2,399'):
        read_image(tmp_path / 'x.png', max_pixels=2399)


def test_what_is_no_file(tmp_path):
    with pytest.raises(DataError, match='is a URL, and nothing is downloaded'):
        read_image('https://example.org/plate.jpg')
    with pytest.raises(DataError, match='is not a file'):
        read_image(tmp_path)
    os.mkfifo(tmp_path / 'pipe.jpg')
    with pytest.raises(DataError, match='is not a file'):
        read_image(tmp_path / 'pipe.jpg')


def test_bound_is_pillows():
    assert images.MAX_PIXELS == 2 * Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize('kind', ['HEIF', 'AVIF'])
def test_phone_formats(kind, tmp_path):
    plugin = pytest.importorskip('pillow_heif')
    plugin.register_heif_opener()
    path = tmp_path / 'IMG_1'
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {
        'HEIF': {'quality': -1, 'chroma': 444},
        'AVIF': {'quality': 100, 'subsampling': '4:4:4'},
    }
    Image.fromarray(COLORS).save(path, kind, exif=exif.tobytes(), **options[kind])
    near(read_image(path), ORIENTED[6], tolerance=12)
    assert check_image(path).size == (40, 60)
    assert image_format(path) == {'HEIF': 'HEIC', 'AVIF': 'AVIF'}[kind] and is_image(path)


def test_heic_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / 'x.HEIC').write_bytes(b'\0\0\0\x18ftypheic' + bytes(100))
    monkeypatch.setattr(images, '_register_heif', lambda: None)
    monkeypatch.delitem(Image.OPEN, 'HEIF', raising=False)
    with pytest.raises(DataError, match=r'is a HEIC image.*mmdet_cleargrasp\[heic\]'):
        read_image(tmp_path / 'x.HEIC')


@pytest.mark.parametrize(
    ('name', 'content', 'expected'),
    [
        ('x', encoded('JPEG'), 'JPEG'),
        ('x.jfif', encoded('JPEG'), 'JPEG'),
        ('x.dat', encoded('BMP'), 'BMP'),
        ('x.dat', encoded('WEBP'), 'WebP'),
        ('x.gif', encoded('GIF'), 'GIF'),
        ('x.jp2', encoded('JPEG2000'), 'JPEG 2000'),
        ('x.cr3', b'\0\0\0\x18ftypcrx ' + bytes(100), 'camera raw'),
        ('x.mp4', b'\0\0\0\x18ftypisom' + bytes(100), None),
        ('notes.txt', b'BM: a plate', None),
        ('x.json', b'{}', None),
        ('empty', b'', None),
    ],
)
def test_images_are_recognized_by_content(name, content, expected, tmp_path):
    (tmp_path / name).write_bytes(content)
    assert image_format(tmp_path / name) == expected
    assert is_image(tmp_path / name) == (expected is not None)


@pytest.mark.parametrize('on_disk', ['NFC', 'NFD'])
def test_names_match_in_either_unicode_normalization(on_disk, tmp_path):
    folder = tmp_path / unicodedata.normalize(on_disk, 'Näpfe')
    folder.mkdir()
    path = folder / unicodedata.normalize(on_disk, 'Schälchen 培养皿.png')
    Image.fromarray(COLORS).save(path)
    for form in ('NFC', 'NFD'):
        asked = unicodedata.normalize(form, str(path))
        assert find_file(asked) == path
        near(read_image(asked), COLORS, tolerance=0)
    assert find_file(folder / 'Öther.png') == folder / 'Öther.png'


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'TIFF'])
def test_names_that_are_not_utf8(kind, tmp_path):
    path = tmp_path / os.fsdecode(b'sch\xe4lchen')
    values = COLORS[..., 0].astype('u2') * 257
    Image.fromarray(values if kind == 'TIFF' else COLORS).save(path, kind, quality=100)
    assert read_image(path).shape == read_image(str(path)).shape == (40, 60, 3)


def test_paths_that_cannot_be_opened(tmp_path):
    (tmp_path / 'loop.jpg').symlink_to('loop.jpg')
    for name in ('loop.jpg', 'x' * 300, 'null\0.jpg'):
        with pytest.raises(DataError, match='cannot be opened'):
            read_image(tmp_path / name)
        assert not is_image(tmp_path / name.replace('.jpg', ''))
