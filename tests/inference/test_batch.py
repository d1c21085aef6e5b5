import csv
import json

import numpy as np
import pytest
import supervision as sv
from PIL import Image
from pycocotools.coco import COCO

from mmdet_cleargrasp.evaluation.working_threshold import WorkingThreshold
from mmdet_cleargrasp.inference.batch import (
    OVERVIEW_COLUMNS,
    OVERVIEW_IMAGES,
    OVERVIEW_SIZE,
    BatchOptions,
    check_options,
    describe,
    free_dir,
    run_batch,
)
from mmdet_cleargrasp.inference.inputs import Picture
from mmdet_cleargrasp.inference.results import find_scale
from mmdet_cleargrasp.utils.errors import ConfigError, DataError
from mmdet_cleargrasp.visualization.boxes import CAPTION_HEIGHT

CLASSES = ('petri_dish', 'multiwell_plate')


def detections(*boxes, classes=None):
    classes = np.array(classes or [0] * len(boxes), dtype=int)
    return sv.Detections(
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        confidence=np.linspace(0.9, 0.5, len(boxes), dtype=np.float32),
        class_id=classes,
        data={'class_name': np.array(CLASSES)[classes]},
    )


class BrightDetector:
    """Stands in for a trained detector: finds the image's bright rectangle exactly."""

    classes = CLASSES
    threshold = WorkingThreshold(0.43, 0.9)

    def __call__(self, image, score_thr, tile, overlap):
        rows, columns = np.nonzero(image[..., 0] > 128)
        if not len(rows):
            return detections()
        return detections([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def picture(name, box=(10, 5, 50, 35)):
    image = np.zeros((48, 64, 3), np.uint8)
    if box:
        image[box[1] : box[3], box[0] : box[2]] = 255
    return Picture(name, lambda: image)


def broken(name, error):
    def read():
        raise error

    return Picture(name, read)


def rows_of(path):
    return list(csv.DictReader(path.open(encoding='utf-8-sig', newline='')))


def test_results_of_a_batch(tmp_path):
    pictures = [
        picture('a/x.jpg'),
        broken('bad.jpg', DataError('bad.jpg is empty')),
        picture('b/x.jpg', (0, 0, 20, 18)),
        broken('worse.jpg', RuntimeError('boom')),
        picture('none.jpg', None),
    ]
    options = BatchOptions(crops=True, plate_diameter=80, plate_class='petri_dish')
    result = run_batch(BrightDetector(), pictures, tmp_path / 'out', options)
    out = tmp_path / 'out'
    first, second = rows_of(out / 'detections.csv')
    assert first == {
        'image': 'a/x.jpg', 'width': '64', 'height': '48', 'class': 'petri_dish', 'score': '0.9',
        'x': '10.0', 'y': '5.0', 'box_width': '40.0', 'box_height': '30.0', 'px_per_mm': '0.5',
        'box_width_mm': '80.0', 'box_height_mm': '60.0', 'crop': 'crops/a/x_1.jpg',
    }  # fmt: skip
    assert second['image'] == 'b/x.jpg'
    assert [(r['image'], r['detections'], r['problem']) for r in rows_of(out / 'images.csv')] == [
        ('a/x.jpg', '1', ''),
        ('bad.jpg', '0', 'bad.jpg is empty'),
        ('b/x.jpg', '1', ''),
        ('worse.jpg', '0', 'RuntimeError: boom'),
        ('none.jpg', '0', ''),
    ]
    assert [image['image'] for image in result.failures] == ['bad.jpg', 'worse.jpg']
    coco = COCO(str(out / 'detections.json'))
    assert [image['file_name'] for image in coco.imgs.values()] == [
        'a/x.jpg',
        'b/x.jpg',
        'none.jpg',
    ]
    assert coco.anns[1]['bbox'] == [10, 5, 40, 30] and coco.anns[1]['score'] == 0.9
    assert (
        len(coco.loadRes(json.loads((out / 'detections.json').read_text())['annotations']).anns)
        == 2
    )
    with Image.open(out / 'crops/a/x_1.jpg') as crop:
        assert crop.size == (40, 30) and np.asarray(crop).min() > 230
    overlays = {p.relative_to(out).as_posix() for p in out.glob('overlays/**/*.jpg')}
    assert overlays == {'overlays/a/x.jpg', 'overlays/b/x.jpg', 'overlays/none.jpg'}
    with Image.open(out / 'overview.jpg') as overview:
        assert overview.size == (3 * OVERVIEW_SIZE[0], OVERVIEW_SIZE[1] + CAPTION_HEIGHT)


def test_the_overview_is_one_page_however_many_images(tmp_path):
    names = [f'{k}.jpg' for k in range(OVERVIEW_IMAGES + 2)]
    result = run_batch(BrightDetector(), map(picture, names), tmp_path / 'out', BatchOptions())
    assert f'the first {OVERVIEW_IMAGES} images' in describe(result, BatchOptions())
    rows = -(-OVERVIEW_IMAGES // OVERVIEW_COLUMNS)
    with Image.open(tmp_path / 'out' / 'overview.jpg') as overview:
        assert overview.height == rows * (OVERVIEW_SIZE[1] + CAPTION_HEIGHT)


def test_names_of_outputs_never_collide(tmp_path):
    names = ['x.jpg', 'x.png', 'X.jpg', 'x-2.jpg', 'film.mp4/000001', 'film.avi/000001']
    run_batch(BrightDetector(), [picture(n) for n in names], tmp_path, BatchOptions(crops=True))
    drawn = [
        p.relative_to(tmp_path).as_posix().casefold() for p in tmp_path.glob('overlays/**/*.jpg')
    ]
    assert len(drawn) == len(set(drawn)) == len(names)
    crops = [row['crop'].casefold() for row in rows_of(tmp_path / 'detections.csv')]
    assert len(set(crops)) == len(names)


def test_what_was_found_before_an_interruption_is_kept(tmp_path, capsys):
    pictures = [picture('a.jpg'), broken('b.jpg', KeyboardInterrupt())]
    with pytest.raises(KeyboardInterrupt):
        run_batch(BrightDetector(), pictures, tmp_path / 'out', BatchOptions())
    assert [row['image'] for row in rows_of(tmp_path / 'out' / 'detections.csv')] == ['a.jpg']
    assert f'everything is in {tmp_path / "out"}' in capsys.readouterr().out


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / 'mine.txt').write_text('x')
    with pytest.raises(ConfigError, match='is not empty, and nothing is overwritten'):
        run_batch(BrightDetector(), [], tmp_path, BatchOptions())
    with pytest.raises(ConfigError, match='cannot be made a folder'):
        run_batch(BrightDetector(), [], tmp_path / 'mine.txt', BatchOptions())
    assert free_dir(tmp_path) == tmp_path.with_name(f'{tmp_path.name}_2')
    assert free_dir(tmp_path / 'new') == tmp_path / 'new'


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'score_thr': 1.2}, '--score-thr 1.2: expected 0 to 1'),
        ({'score_thr': float('nan')}, '--score-thr nan'),
        ({'tile': 8}, '--tile 8'),
        ({'overlap': 1.0}, '--overlap 1.0'),
        ({'plate_diameter': -3.0}, '--plate-diameter -3.0: expected millimeters'),
        ({'plate_diameter': 90.0}, 'say whose, by --plate-class with one of petri_dish, multi'),
        ({'plate_diameter': 90.0, 'plate_class': 'x'}, '--plate-class x: the detector knows'),
    ],
)
def test_options_that_cannot_work(options, message):
    with pytest.raises(ConfigError, match=message):
        check_options(BatchOptions(**options), CLASSES)


@pytest.mark.parametrize(
    ('found', 'class_name', 'expected'),
    [
        (detections([0, 0, 180, 160]), 'petri_dish', 2.0),
        (detections([0, 0, 180, 160], [0, 0, 90, 90], [0, 0, 270, 9]), 'petri_dish', 2.0),
        (detections([0, 0, 900, 600], [0, 0, 90, 90], classes=[1, 0]), 'petri_dish', 1.0),
        (detections([0, 0, 900, 600], classes=[1]), 'petri_dish', None),
        (detections([0, 0, 900, 600], classes=[1]), None, 10.0),
        (detections(), 'petri_dish', None),
    ],
)
def test_scale(found, class_name, expected):
    assert find_scale(found, 90, class_name) == expected
