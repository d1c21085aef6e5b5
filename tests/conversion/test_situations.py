"""Situations that people met in public trackers, through the command as they would call it."""

import json

import pytest

from mmdet_cleargrasp.cli.to_coco import main
from tests.conversion.sources import draw, write

YOLO = '0 0.5 0.5 0.2 0.5'
SHAPE = {'label': 'dish', 'shape_type': 'rectangle', 'points': [[10, 20], [30, 40]]}


def yolo(root, names='classes.txt', count=4):
    for k in range(count):
        draw(root / 'images' / f'{k}.png')
        write(root / 'labels' / f'{k}.txt', YOLO)
    if names:
        write(root / names, 'dish')


def labelme(root, count=4, label='dish'):
    for k in range(count):
        draw(root / f'{k}.png')
        shapes = [{**SHAPE, 'label': label}]
        write(root / f'{k}.json', json.dumps({'shapes': shapes, 'imagePath': f'{k}.png'}))


def photographs_still_heic(root):
    yolo(root)
    (root / 'images' / '3.png').rename(root / 'images' / '3.heic')
    write(root / 'images' / '3.heic', 'no picture')


def image_gone(root):
    yolo(root)
    (root / 'images' / '3.png').unlink()


def labels_in_utf16(root):
    yolo(root)
    write(root / 'labels' / '3.txt', YOLO, 'utf-16')


def annotation_cut_off(root):
    labelme(root)
    write(root / '3.json', '{"shapes": [{"label": "di')


def annotation_in_gbk(root):
    labelme(root)
    write(
        root / '3.json',
        json.dumps({'shapes': [{**SHAPE, 'label': '培养皿'}]}, ensure_ascii=False),
        'gbk',
    )


def annotation_missing(root):
    labelme(root)
    (root / '3.json').unlink()


def shape_without_class(root):
    labelme(root)
    write(root / '3.json', json.dumps({'shapes': [SHAPE, {**SHAPE, 'label': None}]}))


def names_missing(root):
    yolo(root, names=None)


def tracks(root):
    draw(root / 'a.png')
    write(root / 'annotations.xml', '<annotations><track id="0" label="dish"/></annotations>')


def every_box_unreadable(root):
    labelme(root, label=None)


def one_image(root):
    labelme(root, count=1)


def series(root):
    for plate in range(4):
        for letter in 'abc':
            draw(root / f'plate{plate}_{letter}.png')
            write(root / f'plate{plate}_{letter}.json', json.dumps({'shapes': [SHAPE]}))


def brackets(root):
    labelme(root, label='dish [open]')


@pytest.mark.parametrize(
    ('situation', 'status', 'images', 'words'),
    [
        (photographs_still_heic, 3, 3, 'images/3.heic'),
        (image_gone, 3, 3, 'there is no image of its name (labels/3.txt)'),
        (labels_in_utf16, 0, 4, 'read as yolo'),
        (annotation_cut_off, 3, 3, 'invalid JSON'),
        (annotation_in_gbk, 3, 3, 'its text is not UTF-8'),
        (annotation_missing, 0, 3, 'it has no annotation (3.png)'),
        (shape_without_class, 3, 3, 'a shape without a class name (3.png: 3.json, shape 2)'),
        (names_missing, 1, None, 'no class names. Add a classes.txt'),
        (tracks, 1, None, "export as 'CVAT for images 1.1'"),
        (every_box_unreadable, 1, None, '4 x a shape without a class name'),
        (one_image, 1, None, '1 image(s) with boxes cannot be split into train and val'),
        (series, 0, 12, 'names look like 4 series (plate0'),
        (brackets, 0, 4, '[open]'),
    ],
    ids=lambda value: getattr(value, '__name__', None),
)
def test_situation(tmp_path, capsys, situation, status, images, words):
    src, out = tmp_path / 'src', tmp_path / 'out'
    situation(src)
    assert main([str(src), str(out)]) == status
    printed = capsys.readouterr()
    assert words in printed.out + printed.err
    assert 'Traceback' not in printed.err
    assert out.exists() == (images is not None)
    if images is not None:
        record = json.loads((out / 'conversion.json').read_text())
        assert sum(record['images'].values()) == images
        assert not sum(record['negatives'].values())
        kinds = {'image', 'labels', 'unannotated'}
        assert sum(s['kind'] in kinds for s in record['skipped']) == (images < 4)


def test_proposed_groups_keep_series_together(tmp_path, capsys):
    series(tmp_path / 'src')
    main([str(tmp_path / 'src'), str(tmp_path / 'out')])
    pattern = capsys.readouterr().out.split("--group-by '")[1].split("'")[0]
    assert main([str(tmp_path / 'src'), str(tmp_path / 'grouped'), '--group-by', pattern]) == 0
    plates = [{p.name[:6] for p in (tmp_path / 'grouped' / s).iterdir()} for s in ('train', 'val')]
    assert not plates[0] & plates[1]


@pytest.mark.parametrize(
    ('classes', 'expected'),
    [
        (['dish=petri_dish'], {'petri_dish': 2, 'lid': 2}),
        (['lid='], {'dish': 2}),
        (['dish'], {'dish': 2}),
        (['dish=plate', 'lid=plate'], {'plate': 4}),
    ],
)
def test_classes_are_renamed_dropped_and_chosen(tmp_path, classes, expected):
    for k, label in enumerate(('dish', 'lid', 'dish', 'lid')):
        draw(tmp_path / 'src' / f'{k}.png')
        write(tmp_path / 'src' / f'{k}.json', json.dumps({'shapes': [{**SHAPE, 'label': label}]}))
    out = tmp_path / 'out'
    assert main([str(tmp_path / 'src'), str(out), '--val', '0', '--classes', *classes]) == 0
    record = json.loads((out / 'conversion.json').read_text())
    assert record['boxes'] == {'train': expected}
    assert record['classes'] == list(expected)


IMAGES = [{'id': k, 'file_name': f'{k}.png'} for k in (1, 2, 3, 4)]
BOXES = [{'id': k, 'image_id': k, 'category_id': 1, 'bbox': [10, 20, 20, 20]} for k in (1, 2, 3, 4)]
DISH = [{'id': 1, 'name': 'dish'}]


@pytest.mark.parametrize(
    ('images', 'categories', 'reason'),
    [
        ({'id': 1}, DISH, 'several images have its id'),
        ({'id': '1'}, DISH, 'several images have its id'),
        ({'id': None}, DISH, 'it has no id'),
        ({}, [*DISH, {'id': 1, 'name': 'lid'}], 'the id of several categories'),
    ],
)
def test_boxes_that_could_be_of_several(tmp_path, capsys, images, categories, reason):
    """An image whose boxes went to another one would teach that plates are background."""
    for image in IMAGES:
        draw(tmp_path / 'src' / image['file_name'])
    listed = [*IMAGES[:3], {**IMAGES[3], **images}]
    coco = {'images': listed, 'annotations': BOXES, 'categories': categories}
    write(tmp_path / 'src' / 'a.json', json.dumps(coco))
    status = main([str(tmp_path / 'src'), str(tmp_path / 'out')])
    assert status == (1 if len(categories) > 1 else 3)
    printed = capsys.readouterr()
    assert reason in printed.out + printed.err


@pytest.mark.parametrize('name', ['x' * 1000, 'a\x1b[31mb', 'a\x07'])
def test_classes_that_cannot_be_shown(tmp_path, capsys, name):
    labelme(tmp_path / 'src', label=name)
    assert main([str(tmp_path / 'src'), str(tmp_path / 'out')]) == 1
    assert 'is too long, or has control characters' in capsys.readouterr().err
