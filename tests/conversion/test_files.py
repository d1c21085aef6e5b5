import os
import time

import pytest

from mmdet_cleargrasp.conversion import ConversionOptions, Folder, convert
from mmdet_cleargrasp.conversion.files import (
    UnreadableFile,
    read_json,
    read_lines,
    read_xml,
    read_yaml,
)
from mmdet_cleargrasp.conversion.folder import NotFound
from mmdet_cleargrasp.utils.errors import DataError
from mmdet_cleargrasp.utils.text_files import decode
from tests.conversion.sources import draw, write


@pytest.mark.parametrize(
    'encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-16-be', 'utf-32', 'cp1252']
)
@pytest.mark.parametrize(
    'text', ['Petrischale groß', 'Näpfe', 'Größe', 'boîte créée', 'dish 90 °C']
)
def test_usual_encodings_are_read(tmp_path, encoding, text):
    (tmp_path / 'a.txt').write_bytes(f'{text}\r\n\r\n'.encode(encoding))
    assert read_lines(tmp_path / 'a.txt') == [text]
    (tmp_path / 'a.json').write_bytes(f'"{text}"'.encode(encoding))
    assert read_json(tmp_path / 'a.json') == text
    (tmp_path / 'a.yaml').write_bytes(f'names: [{text}]'.encode(encoding))
    assert read_yaml(tmp_path / 'a.yaml') == {'names': [text]}
    if not encoding.startswith('utf-32'):
        xml = f'<?xml version="1.0" encoding="utf-8"?>\n<a>{text}</a>'
        (tmp_path / 'a.xml').write_bytes(xml.encode(encoding))
        assert read_xml(tmp_path / 'a.xml').text == text


@pytest.mark.parametrize(
    ('text', 'encoding'),
    [('培养皿', 'gbk'), ('シャーレ', 'shift-jis'), ('Чашка Петри', 'cp1251'), ('чашка', 'cp1251')],
)
def test_other_encodings_are_no_western_words(text, encoding):
    with pytest.raises(ValueError, match='save it as UTF-8'):
        decode(f'dish {text}'.encode(encoding))


def test_yaml_bomb_is_not_unpacked(tmp_path):
    lines = ['a: &a [x, x, x, x, x, x, x, x, x]']
    lines += [
        f'{b}: &{b} [{", ".join([f"*{a}"] * 9)}]'
        for a, b in zip('abcdefgh', 'bcdefghi', strict=True)
    ]
    (tmp_path / 'data.yaml').write_text('\n'.join([*lines, 'names: *i']))
    start = time.perf_counter()
    with pytest.raises(UnreadableFile, match='alias'):
        read_yaml(tmp_path / 'data.yaml')
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ('read', 'text', 'message'),
    [
        (read_json, '{"a": ', 'invalid JSON: Expecting value'),
        (read_json, '[' * 100_000, 'nested too deeply'),
        (read_yaml, '[' * 10_000, 'nested too deeply'),
        (read_yaml, 'a: [', 'invalid YAML'),
        (read_yaml, ' ' * 600_000, 'a YAML file of 600,000 bytes'),
        (read_xml, '<a>', 'invalid XML'),
        (read_xml, '<?xml version="1.0" encoding="klingon"?><a/>', 'invalid XML'),
    ],
)
def test_broken_files_say_why(tmp_path, read, text, message):
    (tmp_path / 'a').write_text(text)
    with pytest.raises(UnreadableFile, match=message):
        read(tmp_path / 'a')


@pytest.fixture
def source(tmp_path):
    draw(tmp_path / 'src' / 'images' / 'a.png')
    draw(tmp_path / 'src' / 'images' / 'b.png')
    for name in 'ab':
        write(tmp_path / 'src' / 'labels' / f'{name}.txt', '0 0.5 0.5 0.2 0.5')
    write(tmp_path / 'src' / 'classes.txt', 'dish')
    return tmp_path / 'src'


def test_what_is_no_file_is_left_alone(source, tmp_path):
    draw(tmp_path / 'outside' / 'secret.png')
    os.mkfifo(source / 'labels' / 'pipe.txt')
    os.mkfifo(source / 'data.yaml')
    os.mkfifo(source / 'images' / 'c.png')
    os.symlink('/dev/zero', source / 'labels' / 'zero.txt')
    os.symlink('loop.png', source / 'images' / 'loop.png')
    os.symlink('..', source / 'images' / 'up')
    os.symlink(tmp_path / 'outside', source / 'linked')
    os.symlink(tmp_path / 'outside' / 'secret.png', source / 'images' / 'secret.png')
    report = convert(source, tmp_path / 'out')
    assert sum(report.images.values()) == 2
    assert {s.what: s.reason for s in report.skipped} == {
        'labels/pipe.txt': 'a pipe, device or socket, expected a file',
        'data.yaml': 'a pipe, device or socket, expected a file',
        'images/c.png': 'a pipe, device or socket, expected a file',
        'labels/zero.txt': 'a link that leads out of the folder',
        'images/loop.png': 'a link that leads nowhere',
        'images/up': 'a link to a folder, which is not followed',
        'linked': 'a link that leads out of the folder',
        'images/secret.png': 'a link that leads out of the folder',
    }
    assert not report.complete


@pytest.mark.parametrize('name', ['loop', 'x' * 300, 'a\0b'])
def test_folders_that_cannot_be_are_refused(tmp_path, name):
    if name == 'loop':
        os.symlink('loop', tmp_path / 'loop')
    with pytest.raises(DataError, match='is not there|cannot be opened|expected a folder'):
        Folder(tmp_path / name)


def test_lists_do_not_lead_out_of_the_folder(source, tmp_path):
    draw(tmp_path / 'outside' / 'secret.png')
    write(source / 'train.txt', '../outside/secret.png\n/etc/passwd\nimages/a.png\n')
    write(source / 'val.txt', 'images/b.png\n')
    write(
        source / 'data.yaml',
        f'names: [dish]\ntrain: train.txt\nval: val.txt\ntest: {tmp_path}/outside',
    )
    report = convert(source, tmp_path / 'out')
    assert report.images == {'train': 1, 'val': 1}
    assert [skipped.what for skipped in report.skipped] == ['train.txt', 'train.txt']


@pytest.mark.parametrize(
    ('written', 'there'),
    [
        ('day 1.png', 'day 1.png'),
        ('DAY 1.PNG', 'day 1.png'),
        ('C:\\plates\\day 1.png', 'day 1.png'),
        ('day%201.png', 'day 1.png'),
        ('100%25.png', '100%25.png'),
        ('100%25.png', '100%.png'),
        ('0a1b2c3d-day 1.png', 'day 1.png'),
        ('0a1b2c3d-day_1.png', 'day 1.png'),
        ('0a1b2c3d-day_1.png', 'day_1.png'),
        ('/data/local-files/?d=week%201%5Cday 1.png', 'day 1.png'),
        ('/data/local-files/?d=plates/day%201.png', 'plates/day 1.png'),
        ('https://lab.example.org/b/day 1.png?X-Amz-Expires=900&X-Amz-Date=2026', 'day 1.png'),
        ('s3://bucket/plates/day+1.png', 'day+1.png'),
        ('is it open?.png', 'is it open?.png'),
        ('Na\u0308pfe.png', 'N\u00e4pfe.png'),
        ('N\u00e4pfe.png', 'Na\u0308pfe.png'),
    ],
)  # fmt: skip
def test_images_are_found_by_what_tools_call_them(tmp_path, written, there):
    draw(tmp_path / there)
    assert Folder(tmp_path).find_image(written, tmp_path / 'a.json') == tmp_path / there


def test_of_equal_names_the_nearest_image_is_meant(tmp_path):
    for day in ('day1', 'day2'):
        draw(tmp_path / 'photos' / day / 'a.png')
    folder = Folder(tmp_path)
    near = tmp_path / 'a.json'
    assert folder.find_image('day2/a.png', near).parent.name == 'day2'
    assert folder.find_by_stem('a', tmp_path / 'labels' / 'day1' / 'a.xml').parent.name == 'day1'
    with pytest.raises(NotFound, match='there are several images of that name: photos/day1/a.png'):
        folder.find_image('a.png', near)
    with pytest.raises(NotFound, match='b.jpg, but photos/b.heic is there'):
        write(tmp_path / 'photos' / 'b.heic', 'no picture')
        Folder(tmp_path).find_image('b.jpg', near)


def test_images_of_other_formats_are_named(source, tmp_path):
    draw(source / 'images' / 'b.png')
    for name in ('p.heic', 'p.jp2', 'p.gif'):
        write(source / 'images' / name, 'no picture')
    (source / 'images' / 'photo').write_bytes(b'GIF89a')
    write(source / 'labels' / 'p.txt', '0 0.5 0.5 0.2 0.5')
    report = convert(source, tmp_path / 'out', ConversionOptions(unannotated='skip'))
    named = {skipped.what for skipped in report.skipped}
    assert {'images/p.heic', 'images/photo'} <= named
