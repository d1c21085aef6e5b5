import os
import unicodedata
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from mmdet_cleargrasp.inference.inputs import count, find_inputs, pictures
from mmdet_cleargrasp.utils.errors import DataError


@pytest.fixture
def folder(tmp_path):
    """given/ with images at two levels, other files and links, and a file beside it."""
    for name in ('given/a/x.jpg', 'given/b/x.jpg', 'given/b/y.TIF', 'outside/secret.jpg'):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (8, 6), 'red').save(path, 'JPEG')
    for name in ('notes.txt', '.hidden.jpg', '._x.jpg'):
        (tmp_path / 'given' / name).write_text('x')
    (tmp_path / 'given' / 'out.jpg').symlink_to(tmp_path / 'outside' / 'secret.jpg')
    (tmp_path / 'given' / 'out').symlink_to(tmp_path / 'outside')
    (tmp_path / 'given' / 'within.jpg').symlink_to(tmp_path / 'given' / 'a' / 'x.jpg')
    return tmp_path


def write_video(path, frames=7):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 10, (64, 48))
    for k in range(frames):
        writer.write(np.full((48, 64, 3), 30 * k, np.uint8))
    writer.release()


@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        (['given'], ['a/x.jpg', 'b/x.jpg', 'b/y.TIF']),
        (['given/a/x.jpg', 'given/b/x.jpg'], ['a/x.jpg', 'b/x.jpg']),
        (['given/a', 'given/a/x.jpg', 'given/a/../a/x.jpg'], ['x.jpg']),
        (['given/*/x.jpg'], ['a/x.jpg', 'b/x.jpg']),
        (['given/**/*.TIF'], ['y.TIF']),
        (['given/notes.txt'], ['notes.txt']),  # named itself: its content decides
        (['given/out.jpg'], ['out.jpg']),  # a link that was named itself
    ],
)
def test_inputs_are_found(folder, monkeypatch, arguments, expected):
    monkeypatch.chdir(folder)
    inputs = find_inputs(arguments)
    assert [inputs.name(path) for path in inputs.files] == expected


@pytest.mark.parametrize('argument', ['given', 'given/*', 'given/**/*.jpg'])
def test_links_are_not_followed_out_of_what_was_given(folder, monkeypatch, argument):
    monkeypatch.chdir(folder)
    inputs = find_inputs([argument])
    assert not any('outside' in str(path.resolve()) for path in inputs.files)
    assert any(
        path.name == 'out.jpg' and 'leads out of' in reason for path, reason in inputs.skipped
    )


@pytest.mark.parametrize(
    ('argument', 'message'),
    [
        ('https://example.org/x.jpg', 'is a URL, and nothing is downloaded'),
        ('file:///etc/passwd', 'is a URL, and nothing is downloaded'),
        ('rtsp://camera/1', 'is a URL, and nothing is downloaded'),
        ('absent.jpg', 'nothing at absent.jpg'),
        ('*.jpg', 'no image in'),
        ('outside/../given/notes*', 'no image in'),
    ],
)
def test_inputs_that_are_refused(folder, monkeypatch, argument, message):
    monkeypatch.chdir(folder)
    with pytest.raises(DataError, match=message):
        find_inputs([argument])


def test_empty_folder(tmp_path):
    with pytest.raises(DataError, match='no image in'):
        find_inputs([tmp_path])


@pytest.mark.parametrize(
    ('stride', 'frames', 'numbers'),
    [(1, None, range(7)), (3, None, (0, 3, 6)), (2, 2, (0, 2)), (1, 3, (0, 1, 2))],
)
def test_frames_of_a_video(tmp_path, stride, frames, numbers):
    write_video(tmp_path / 'film.mp4')
    inputs = find_inputs([tmp_path / 'film.mp4'])
    found = list(pictures(inputs, stride, frames))
    assert [p.name for p in found] == [f'film.mp4/{n:06d}' for n in numbers]
    assert count(inputs, stride, frames) == len(found)
    for number, picture in zip(numbers, found, strict=True):
        image = picture.read()
        assert image.shape == (48, 64, 3)
        assert abs(image.mean() - 30 * number) < 6


@pytest.mark.parametrize(
    'content', ['', 'no video', '#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n']
)
def test_what_is_no_video_fails_when_it_is_read(tmp_path, content):
    (tmp_path / 'film.mp4').write_text(content)
    (picture,) = pictures(find_inputs([tmp_path]))
    with pytest.raises(DataError, match='cannot be opened as a video'):
        picture.read()


def test_camera_that_is_not_there_fails_when_it_is_read():
    inputs = find_inputs(['97'])
    assert inputs.cameras == [97]
    assert count(inputs) is None
    assert count(inputs, frames=5) == 5
    (picture,) = pictures(inputs)
    assert picture.name == 'camera_97'
    with pytest.raises(DataError, match='97 cannot be opened as a camera'):
        picture.read()


def image_bytes(kind):
    stream = BytesIO()
    Image.new('RGB', (8, 6)).save(stream, kind)
    return stream.getvalue()


def test_no_image_of_a_folder_is_skipped_silently(tmp_path):
    contents = {
        'a.jfif': image_bytes('JPEG'),
        'b': image_bytes('PNG'),
        'c.HEIC': b'\0\0\0\x18ftypheic',
        'd.gif': image_bytes('GIF'),
        'e.jp2': image_bytes('JPEG2000'),
        'f.nef': b'MM\0*',
        'notes.txt': b'no image',
        'table.csv': b'a,b',
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    found = list(pictures(find_inputs([tmp_path])))
    assert [picture.name for picture in found] == list(contents)[:6]
    for picture in found[2:]:
        with pytest.raises(DataError):
            picture.read()


def test_what_would_block_or_loop_is_reported(tmp_path):
    Image.new('RGB', (8, 6)).save(tmp_path / 'a.jpg')
    for name in ('pipe.jpg', 'pipe.mp4'):
        os.mkfifo(tmp_path / name)
    (tmp_path / 'loop.jpg').symlink_to('loop.jpg')
    (tmp_path / 'loop').symlink_to('.')
    inputs = find_inputs([tmp_path])
    assert [path.name for path in inputs.files] == ['a.jpg']
    assert sorted(path.name for path, _ in inputs.skipped) == ['loop.jpg', 'pipe.jpg', 'pipe.mp4']
    for name in ('pipe.jpg', 'pipe.mp4', 'loop.jpg'):
        named = find_inputs([tmp_path / name])
        assert count(named) == 1
        with pytest.raises(DataError):
            next(pictures(named)).read()


def test_names_that_are_too_long(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match='nothing at xxx'):
        find_inputs(['x' * 300 + '.jpg'])


def test_names_in_either_normalization_and_not_in_utf8(tmp_path):
    names = [unicodedata.normalize('NFD', 'Näpfe.jpg'), os.fsdecode(b'n\xe4pfe.jpg')]
    for name in names:
        Image.new('RGB', (8, 6)).save(tmp_path / name)
    assert sorted(p.name for p in pictures(find_inputs([tmp_path]))) == sorted(names)
    (picture,) = pictures(find_inputs([tmp_path / 'Näpfe.jpg']))
    assert picture.read().shape == (6, 8, 3)


def test_videos_that_cannot_be_read_are_reported(tmp_path):
    write_video(tmp_path / 'film.mp4')
    (tmp_path / 'film.mp4').rename(tmp_path / os.fsdecode(b'f\xeflm.mp4'))  # would crash OpenCV
    inputs = find_inputs([tmp_path])
    assert count(inputs) == 1
    with pytest.raises(DataError, match='has a name that is not UTF-8'):
        next(pictures(inputs)).read()


@pytest.mark.parametrize(
    ('pattern', 'expected'),
    [
        ('**/*.jpg', ['a.jpg', 'below/b.jpg']),
        ('**', ['a.jpg', 'below/b.jpg']),
        ('*/**', ['b.jpg']),
        ('**.jpg', ['a.jpg']),
        ('.h*/*.jpg', ['c.jpg']),
    ],
)
def test_patterns_follow_no_links_that_lead_back(tmp_path, pattern, expected):
    """Two of them would make 2**40 paths of a pattern with **."""
    for name in ('a.jpg', 'below/b.jpg', '.hidden/c.jpg', '.d.jpg'):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.new('RGB', (8, 6)).save(path)
    for name in ('x', 'y', 'z'):
        (tmp_path / 'below' / name).symlink_to('..')
    inputs = find_inputs([f'{tmp_path}/{pattern}'])
    assert [inputs.name(path) for path in inputs.files] == expected


@pytest.mark.parametrize('text', ['²', '٣', '9' * 5000])
def test_what_is_no_number_of_a_camera(text):
    with pytest.raises(DataError, match='nothing at'):
        find_inputs([text])
