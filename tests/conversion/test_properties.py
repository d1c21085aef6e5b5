"""Random annotations: every image is read or listed, and none becomes a negative."""

import json
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mmdet_cleargrasp.conversion import FORMATS, Folder, recognize
from mmdet_cleargrasp.utils.errors import ConfigError, DataError
from tests.test_properties import ANYTHING, COCO, FEW, LEAVES, NUMBERS

WORDS = st.sampled_from(
    ['a.png', 'b.png', 'c.png', 'dish', '', '1', 'nan', '-5', '1e999', 'ä\u0308']
)
TEXTS = (
    WORDS | NUMBERS.map(str) | st.text(st.characters(exclude_categories=['Cs', 'Cc']), max_size=8)
)
SHAPES = st.fixed_dictionaries(
    {'points': st.lists(st.lists(NUMBERS, min_size=2, max_size=2), max_size=5) | ANYTHING},
    optional={
        'label': LEAVES,
        'shape_type': st.sampled_from(
            ['rectangle', 'circle', 'point', 'rotation', 'polygon', None, 3]
        ),
        'group_id': LEAVES,
    },
)
LABELME = st.fixed_dictionaries(
    {'shapes': st.lists(SHAPES | ANYTHING, max_size=3) | ANYTHING, 'imagePath': WORDS | ANYTHING},
    optional={'imageWidth': NUMBERS | LEAVES, 'imageHeight': NUMBERS | LEAVES},
)
VOC_TAGS = st.sampled_from(
    ['filename', 'size', 'width', 'height', 'object', 'name', 'bndbox', 'xmin', 'ymin', 'xmax', 'ymax',
     'robndbox', 'cx', 'angle', 'polygon', 'pt', 'x', 'y', 'attributes', 'attribute', 'value', 'deleted']
)  # fmt: skip
CVAT_TAGS = st.sampled_from(
    [
        'image',
        'box',
        'polygon',
        'ellipse',
        'mask',
        'points',
        'tag',
        'track',
        'meta',
        'labels',
        'label',
    ]
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(['name', 'label', 'xtl', 'ytl', 'xbr', 'ybr', 'points', 'rotation', 'width', 'height',
                     'cx', 'cy', 'rx', 'ry', 'left', 'top', 'subset']),
    TEXTS,
    max_size=8,
)  # fmt: skip


def elements(tags, attributes):
    """XML of known tags in any order and depth."""

    def element(children):
        return st.tuples(tags, attributes, TEXTS | st.lists(children, max_size=5)).map(render)

    return st.recursive(st.tuples(tags, attributes, TEXTS).map(render), element, max_leaves=20)


def render(parts):
    tag, attributes, content = parts
    text = (
        ''.join(content) if isinstance(content, list) else content.replace('&', '').replace('<', '')
    )
    named = ''.join(f' {key}={quoteattr(value)}' for key, value in attributes.items())
    return f'<{tag}{named}>{text}</{tag}>'


@pytest.fixture
def folder(tmp_path):
    Image.new('RGB', (60, 40)).save(tmp_path / 'a.png')
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (60, 40)).save(tmp_path / 'c.png', exif=exif)
    (tmp_path / 'b.png').write_bytes(b'\x89PNG\r\n\x1a\nbroken')
    return tmp_path


def check(folder, name, drawn=None):
    """Read the folder; every image has a fate, and boxes lie in their images."""
    try:
        source = FORMATS[name].read(Folder(folder)).finish(drawn)
    except DataError:
        return None
    unannotated = source.unannotated()
    for path in unannotated:
        source.skip_unannotated(path)
    named = {skipped.what for skipped in source.skipped if skipped.kind in ('image', 'unannotated')}
    for image in source.folder.images:
        assert (image in source.pictures) != (image.name in named), image
    for picture in source.pictures.values():
        for box in (*picture.boxes, *picture.if_stored):
            assert 0 <= box.left < box.right <= picture.width
            assert 0 <= box.top < box.bottom <= picture.height
            assert box.label in source.classes
    return source


@FEW
@given(content=COCO | LABELME, drawn=st.sampled_from([None, 'upright', 'stored']))
def test_json(folder, content, drawn):
    (folder / 'a.json').write_text(json.dumps(content))
    for name in ('coco', 'labelme'):
        check(folder, name, drawn)


@FEW
@given(shapes=st.lists(SHAPES, min_size=1, max_size=3))
def test_image_with_shapes_is_never_a_negative(folder, shapes):
    (folder / 'a.json').write_text(json.dumps({'shapes': shapes, 'imagePath': 'a.png'}))
    source = check(folder, 'labelme')
    assert all(picture.boxes for picture in source.pictures.values())


@FEW
@given(content=elements(VOC_TAGS, st.just({})))
def test_voc(folder, content):
    (folder / 'a.xml').write_text(f'<annotation>{content}</annotation>', encoding='utf-8')
    check(folder, 'voc')


@FEW
@given(content=elements(CVAT_TAGS, ATTRIBUTES))
def test_cvat(folder, content):
    (folder / 'a.xml').write_text(f'<annotations>{content}</annotations>', encoding='utf-8')
    check(folder, 'cvat')


@FEW
@given(
    text=st.text(max_size=40)
    | st.lists(NUMBERS, min_size=1, max_size=9).map(lambda values: ' '.join(map(str, values))),
    config=st.dictionaries(
        st.sampled_from(['names', 'train', 'val', 'test', 'kpt_shape', 'path']),
        ANYTHING,
        max_size=6,
    ),
)
def test_yolo(folder, text, config):
    (folder / 'data.yaml').write_text(json.dumps(config))
    (folder / 'classes.txt').write_text('dish\nlid')
    (folder / 'a.txt').write_text(text, encoding='utf-8')
    source = check(folder, 'yolo')
    if source and text.strip():
        assert all(p.boxes for p in source.pictures.values() if p.path.name == 'a.png')


@settings(FEW, suppress_health_check=[*HealthCheck])
@given(
    content=st.binary(max_size=200),
    name=st.sampled_from(
        ['a.json', 'a.xml', 'a.txt', 'data.yaml', 'classes.txt', 'train.txt', 'x.data']
    ),
)
def test_any_bytes_in_any_file(folder, content, name):
    (folder / 'classes.txt').write_text('dish')
    (folder / name).write_bytes(content)
    for format_name in FORMATS:
        check(folder, format_name)
    try:
        assert recognize(Folder(folder)) in FORMATS
    except (DataError, ConfigError) as error:
        assert str(folder) in str(error)
    (folder / name).unlink()
