import json

import cv2
import numpy as np
import pytest
from PIL import Image

from mmdet_cleargrasp.conversion import FORMATS, Box, ConversionOptions, Folder, convert
from mmdet_cleargrasp.conversion.orientation import turn_upright
from mmdet_cleargrasp.datasets.images import read_image
from tests.conversion.sources import draw, write

STORED, BOX = (100, 80), (10, 20, 40, 30)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_boxes_turn_as_pixels_do(tmp_path, orientation):
    pixels = np.zeros((80, 100, 3), np.uint8)
    left, top, right, bottom = BOX
    pixels[top:bottom, left:right] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / 'a.png', exif=exif)
    rows, columns = (
        np.flatnonzero(read_image(tmp_path / 'a.png').any((2, axis))) for axis in (1, 0)
    )
    turned = turn_upright(Box('dish', *BOX), orientation, STORED)
    assert turned.sides == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)


def coco(name, box, size):
    image = {'id': 1, 'file_name': name} | ({'width': size[0], 'height': size[1]} if size else {})
    return json.dumps(
        {
            'images': [image],
            'annotations': [{'id': 1, 'image_id': 1, 'category_id': 1, 'bbox': box}],
            'categories': [{'id': 1, 'name': 'dish'}],
        }
    )


ON_STORED, ON_UPRIGHT = [60, 10, 40, 20], [10, 60, 20, 40]
# The same plate on the upright photograph, for orientation 6 and by hand.
UPRIGHT = (50, 60, 70, 100)


@pytest.mark.parametrize(
    ('orientation', 'size', 'bbox', 'box'),
    [
        (6, (100, 80), ON_STORED, UPRIGHT),
        (6, (80, 100), ON_UPRIGHT, (10, 60, 30, 100)),
        # Sizes as the file has them, boxes as a person saw them.
        (6, (100, 80), ON_UPRIGHT, (10, 60, 30, 100)),
        # No size, but the box would be outside.
        (6, None, ON_STORED, UPRIGHT),
        (1, (100, 80), ON_STORED, (60, 10, 100, 30)),
    ],
)
def test_sizes_prove_on_which_pixels_boxes_were_drawn(tmp_path, orientation, size, bbox, box):
    draw(tmp_path / 'a.jpg', STORED, orientation)
    write(tmp_path / 'a.json', coco('a.jpg', bbox, size))
    source = FORMATS['coco'].read(Folder(tmp_path)).finish()
    [picture] = source.pictures.values()
    assert picture.boxes[0].sides == box
    assert not picture.if_stored


def test_ambiguous_boxes_follow_others_of_the_same_tool(tmp_path):
    draw(tmp_path / 'a.jpg', STORED, 6)
    write(tmp_path / 'a.json', coco('a.jpg', ON_STORED, STORED))
    draw(tmp_path / 'b.jpg', STORED, 3)
    write(tmp_path / 'b.json', coco('b.jpg', ON_STORED, STORED))
    source = FORMATS['coco'].read(Folder(tmp_path)).finish()
    assert source.pictures[tmp_path / 'b.jpg'].boxes[0].sides == (0, 50, 40, 70)


@pytest.fixture
def doubtful(tmp_path):
    """YOLO's labels name no size, and half a turn changes none."""
    for k, orientation in enumerate((6, 3, 1)):
        draw(tmp_path / 'src' / f'{k}.jpg', STORED, orientation)
        write(tmp_path / 'src' / f'{k}.txt', '0 0.8 0.25 0.4 0.25')
    write(tmp_path / 'src' / 'classes.txt', 'dish')
    return tmp_path / 'src'


def boxes_of(out):
    found = {}
    for split in ('train', 'val'):
        coco = json.loads((out / 'annotations' / f'{split}.json').read_text())
        names = {image['id']: image['file_name'] for image in coco['images']}
        found |= {names[a['image_id']]: tuple(a['bbox']) for a in coco['annotations']}
    return found


def test_what_nothing_proves_is_warned_of_and_drawn_both_ways(doubtful, tmp_path):
    report = convert(doubtful, tmp_path / 'out')
    assert report.doubtful == ['0.jpg', '1.jpg']
    assert any(
        note.startswith('warning: 2 photographs have an EXIF rotation') for note in report.notes
    )
    assert cv2.imread(str(tmp_path / 'out' / 'orientation.jpg')).shape[1] == 4 * 320
    assert boxes_of(tmp_path / 'out')['1.jpg'] == (60, 10, 40, 20)


@pytest.mark.parametrize(
    ('drawn_on', 'expected'),
    [
        ('upright', [(48, 12.5, 32, 25), (60, 10, 40, 20)]),
        ('stored', [(50, 60, 20, 40), (0, 50, 40, 20)]),
    ],
)
def test_drawn_on_decides_where_boxes_are_ambiguous(doubtful, tmp_path, drawn_on, expected):
    report = convert(doubtful, tmp_path / 'out', ConversionOptions(drawn_on=drawn_on))
    assert not report.doubtful
    assert not any('warning' in note for note in report.notes)
    boxes = boxes_of(tmp_path / 'out')
    assert [boxes['0.jpg'], boxes['1.jpg']] == [pytest.approx(box) for box in expected]
    assert boxes['2.jpg'] == pytest.approx((60, 10, 40, 20))


@pytest.mark.parametrize(
    ('size', 'reason'),
    [((80, 100), 'turned since it was annotated'), ((50, 40), 'has another size than it was')],
)
def test_image_of_another_size_than_annotated_is_skipped(tmp_path, size, reason):
    draw(tmp_path / 'a.png')
    draw(tmp_path / 'b.png')
    write(tmp_path / 'a.json', coco('a.png', [1, 1, 9, 9], size))
    write(tmp_path / 'b.json', coco('b.png', [1, 1, 9, 9], (100, 80)))
    source = FORMATS['coco'].read(Folder(tmp_path)).finish()
    assert [path.name for path in source.pictures] == ['b.png']
    [skipped] = source.skipped
    assert reason in skipped.reason
    assert skipped.where == f'a.png: 100 x 80 pixels, annotated as {size[0]} x {size[1]}'
