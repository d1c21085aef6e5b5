import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
import supervision as sv
from PIL import Image
from pycocotools.coco import COCO

from mmdet_cleargrasp.evaluation.working_threshold import WorkingThreshold
from mmdet_cleargrasp.inference import batch
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
from mmdet_cleargrasp.inference.journal import Journal, Shard, open_folder
from mmdet_cleargrasp.inference.results import find_scale
from mmdet_cleargrasp.utils.atomic_files import write_json
from mmdet_cleargrasp.utils.errors import ConfigError, DataError, Terminated
from mmdet_cleargrasp.utils.locks import lock_folder
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
    identity = 'bright'
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
        'x': '10.0', 'y': '5.0', 'box_width': '40.0', 'box_height': '30.0', 'px_per_mm': '0.5', 'scale_boxes': '1',
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
    assert 'overview.jpg     the first images' in describe(result, BatchOptions())
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


def test_an_interrupted_batch_continues(tmp_path, capsys):
    pictures = [picture('a.jpg'), picture('b/a.jpg'), picture('c.jpg', None)]
    broken_off = [*pictures[:1], broken('b/a.jpg', KeyboardInterrupt())]
    with pytest.raises(KeyboardInterrupt):
        run_batch(BrightDetector(), broken_off, tmp_path / 'out', BatchOptions())
    assert f'the same command with --out {tmp_path / "out"} continues' in capsys.readouterr().out
    assert not (tmp_path / 'out' / 'overview.jpg').exists()  # would lack the images to come
    journal = tmp_path / 'out' / 'results.jsonl'
    journal.write_text(journal.read_text() + '{"image": {"torn li')  # as SIGKILL leaves it
    seen = []

    class Counting(BrightDetector):
        def __call__(self, image, *rest):
            seen.append(image)
            return super().__call__(image, *rest)

    result = run_batch(Counting(), pictures, tmp_path / 'out', BatchOptions())
    assert (len(seen), result.images, result.detections) == (2, 3, 2)
    again = run_batch(Counting(), pictures, tmp_path / 'out', BatchOptions())
    assert len(seen) == 2  # nothing was left to do
    assert 'overview.jpg' in describe(again, BatchOptions())
    run_batch(BrightDetector(), pictures, tmp_path / 'whole', BatchOptions())
    for name in ('detections.csv', 'detections.json', 'images.csv'):
        assert (tmp_path / 'out' / name).read_bytes() == (tmp_path / 'whole' / name).read_bytes()


def test_a_signal_while_results_are_added_does_not_write_them_twice(tmp_path, monkeypatch):
    write = Journal._write

    def interrupted(journal, content):
        write(journal, content)
        raise KeyboardInterrupt

    monkeypatch.setattr(Journal, '_write', interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_batch(BrightDetector(), map(picture, 'ab'), tmp_path, BatchOptions())
    assert [row['image'] for row in rows_of(tmp_path / 'images.csv')] == ['a']


def test_counts_are_right_where_the_tables_cannot_be_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(batch, 'write_tables', lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run_batch(BrightDetector(), [picture('a.jpg')], tmp_path, BatchOptions())
    assert '1 detections in 1 images' in capsys.readouterr().out


def test_shards_that_start_together_share_a_folder(tmp_path, monkeypatch):
    list_folder = Path.iterdir

    def list_later(folder):
        write_json(folder / 'batch.json', {'shards': 2})  # by the other shard
        return list_folder(folder)

    monkeypatch.setattr(Path, 'iterdir', list_later)
    open_folder(tmp_path, {'shards': 2})


@pytest.mark.parametrize('order', [(1, 2, 3), (3, 1, 2)])
def test_shards_share_a_batch(tmp_path, order):
    names = ['x.jpg', 'x.png', 'a/1.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg']
    pictures = [*map(picture, names), broken('bad.jpg', DataError('gone'))]
    options = BatchOptions(crops=True)
    run_batch(BrightDetector(), pictures, tmp_path / 'whole', options)
    out = tmp_path / 'out'
    for number in order:
        assert not (out / 'images.csv').exists()
        result = run_batch(BrightDetector(), pictures, out, options, shard=Shard(number, 3))
        missing = [k for k in order[order.index(number) + 1 :]]
        assert result.unfinished == sorted(missing)
        assert ('the tables' in describe(result, options)) is bool(missing)
    assert (result.images, len(result.failures)) == (8, 1)
    for path in (tmp_path / 'whole').rglob('*.*'):
        name = path.relative_to(tmp_path / 'whole')
        if not name.match('*.jsonl') and not name.match('.*') and name.name != 'batch.json':
            same = path.read_bytes() == (out / name).read_bytes()
            assert same or name.name == 'overview.jpg', name


def test_results_of_other_settings_are_not_continued(tmp_path):
    run_batch(BrightDetector(), [picture('a.jpg')], tmp_path, BatchOptions(score_thr=0.3))
    with pytest.raises(ConfigError, match=r'other settings \(score_thr: 0.3, now None\)'):
        run_batch(BrightDetector(), [picture('a.jpg')], tmp_path, BatchOptions())
    with pytest.raises(ConfigError, match=r'shards: 1, now 2'):
        options = BatchOptions(score_thr=0.3)
        run_batch(BrightDetector(), [], tmp_path, options, shard=Shard(1, 2))


def test_two_processes_do_not_take_the_same_shard(tmp_path):
    pictures = [picture('a.jpg')]
    run_batch(BrightDetector(), pictures, tmp_path, BatchOptions())
    with (
        lock_folder(tmp_path, f'.{Shard().file_name}.lock'),
        pytest.raises(ConfigError, match='is in use by process'),
    ):
        run_batch(BrightDetector(), pictures, tmp_path, BatchOptions())


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
        ({'crop_margin': 0.1}, '--crop-margin requires --crops'),
        ({'crop_margin': -1.0, 'crops': True}, '--crop-margin -1.0: expected 0 or more'),
        ({'plate_diameter': -3.0}, '--plate-diameter -3.0: expected millimeters'),
        ({'plate_diameter': 90.0}, 'name the class with --plate-class, one of petri_dish, multi'),
        ({'plate_diameter': 90.0, 'plate_class': 'x'}, '--plate-class x: the detector has'),
    ],
)
def test_invalid_options_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        check_options(BatchOptions(**options), CLASSES)


def scored(*boxes, scores, classes=None):
    found = detections(*boxes, classes=classes)
    found.confidence = np.array(scores, np.float32)
    return found


DISH, FALSE, CUT = [100, 100, 280, 270], [20, 20, 234, 200], [0, 100, 170, 280]


@pytest.mark.parametrize(
    ('found', 'class_name', 'px_per_mm', 'boxes', 'problem'),
    [
        (scored(DISH, scores=[0.9]), 'petri_dish', 2.0, 1, ''),
        (scored(DISH, FALSE, scores=[0.9, 0.4]), 'petri_dish', 2.0, 1, ''),
        (scored(DISH, FALSE, scores=[0.9, 0.8]), 'petri_dish', None, 0, 'sides are 180 to 214 px'),
        (
            scored(DISH, DISH, FALSE, scores=[0.9] * 3),
            'petri_dish',
            2.0,
            2,
            '1 of 3 boxes of petri',
        ),
        (scored(DISH, [300, 290, 489, 470], scores=[0.9] * 2), 'petri_dish', 2.05, 2, ''),
        (scored(DISH, CUT, scores=[0.9] * 2), 'petri_dish', 2.0, 1, ''),
        (scored(CUT, scores=[0.9]), 'petri_dish', None, 0, 'edge cuts off every box of petri_dish'),
        (scored(DISH, scores=[0.49]), 'petri_dish', None, 0, 'with a score of 0.5'),
        (scored(DISH, FALSE, scores=[0.9] * 2, classes=[0, 1]), 'petri_dish', 2.0, 1, ''),
        (scored(DISH, scores=[0.9], classes=[1]), 'petri_dish', None, 0, 'no box of petri_dish'),
        (scored(DISH, scores=[0.9], classes=[1]), None, 2.0, 1, ''),
        (detections(), None, None, 0, 'no box of any class'),
    ],
)
def test_scale_stands_on_confident_boxes_that_agree(found, class_name, px_per_mm, boxes, problem):
    scale = find_scale(found, 90, class_name, size=(640, 480))
    assert scale.px_per_mm == (px_per_mm and pytest.approx(px_per_mm)) and scale.boxes == boxes
    assert problem in scale.problem and bool(scale.problem) == bool(problem)


def test_tables_say_on_how_many_boxes_the_scale_stands(tmp_path):
    class TwoSizes(BrightDetector):
        def __call__(self, image, *_):
            second = [10, 5, 50, 45] if image.max() > 200 else [10, 5, 30, 25]
            return detections([10, 5, 50, 45], second)

    def gray(name, value):
        return Picture(name, lambda: np.full((48, 64, 3), value, np.uint8))

    options = BatchOptions(plate_diameter=80, plate_class='petri_dish')
    pictures = [gray('agree.jpg', 255), gray('differ.jpg', 10)]
    result = run_batch(TwoSizes(), pictures, tmp_path / 'out', options)
    agree, differ = rows_of(tmp_path / 'out' / 'images.csv')
    assert (agree['px_per_mm'], agree['scale_boxes'], agree['note']) == ('0.5', '2', '')
    assert (differ['px_per_mm'], differ['scale_boxes']) == ('', '')
    assert differ['note'] == (
        'no scale in mm: boxes of petri_dish disagree, their longer sides are 20 to 40 px'
    )
    rows = rows_of(tmp_path / 'out' / 'detections.csv')
    assert [row['scale_boxes'] for row in rows] == ['2', '2', '', '']
    assert [row['box_width_mm'] for row in rows] == ['80.0', '80.0', '', '']
    assert '1 images with a note on their scale' in describe(result, options)


def test_images_csv_has_a_column_a_class(tmp_path):
    detector = BrightDetector()
    detector.classes = ('petri_dish', 'width')
    pictures = [picture('a.jpg'), broken('b.jpg', DataError('gone'))]
    run_batch(detector, pictures, tmp_path / 'out', BatchOptions())
    first, second = rows_of(tmp_path / 'out' / 'images.csv')
    assert list(first)[:6] == [
        'image',
        'width',
        'height',
        'detections',
        'petri_dish',
        'width (class)',
    ]
    assert (first['petri_dish'], first['width (class)']) == ('1', '0')
    assert (second['petri_dish'], second['problem']) == ('', 'gone')


def test_crops_with_a_margin(tmp_path):
    options = BatchOptions(crops=True, crop_margin=0.1)
    run_batch(BrightDetector(), [picture('x.jpg')], tmp_path / 'out', options)
    with Image.open(tmp_path / 'out/crops/x_1.jpg') as crop:
        assert crop.size == (48, 36)  # the box has 40 x 30


def test_names_that_are_not_utf8_or_very_long_keep_the_tables(tmp_path):
    names = [
        'a.jpg',
        os.fsdecode(b'n\xe4pfe.jpg'),
        'x' * 251 + '.jpg',
        'ü' * 120 + '.jpg',
        '[b].jpg',
    ]
    run_batch(BrightDetector(), map(picture, names), tmp_path / 'out', BatchOptions(crops=True))
    out = tmp_path / 'out'
    assert len(rows_of(out / 'detections.csv')) == len(rows_of(out / 'images.csv')) == len(names)
    coco = json.loads((out / 'detections.json').read_text('utf-8'))
    assert [image['file_name'] for image in coco['images']] == names
    assert len(list((out / 'overlays').iterdir())) == len(list((out / 'crops').iterdir())) == 5
    assert rows_of(out / 'images.csv')[1]['image'] == r'n\udce4pfe.jpg'


def test_an_image_during_which_the_batch_is_stopped_is_in_no_table(tmp_path):
    pictures = [picture('a.jpg'), broken('b.jpg', Terminated())]
    with pytest.raises(Terminated):
        run_batch(BrightDetector(), pictures, tmp_path / 'out', BatchOptions())
    assert [row['image'] for row in rows_of(tmp_path / 'out' / 'images.csv')] == ['a.jpg']
    coco = json.loads((tmp_path / 'out' / 'detections.json').read_text())
    assert [image['file_name'] for image in coco['images']] == ['a.jpg']
