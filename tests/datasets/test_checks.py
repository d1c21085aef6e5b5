import pytest
from PIL import Image, ImageOps

from mmdet_cleargrasp.datasets import check_split
from mmdet_cleargrasp.datasets.checks import check_overlap
from mmdet_cleargrasp.datasets.completion import completed
from mmdet_cleargrasp.datasets.split import Split
from mmdet_cleargrasp.datasets.toy_plates import CLASSES


def check(root, classes=CLASSES):
    return check_split('train data', root / 'annotations' / 'train.json', root / 'train', classes)


def test_good_data_is_counted(toy_plates):
    findings = check(toy_plates)
    assert [finding.level for finding in findings] == ['ok'], findings
    assert findings[0].text.startswith('6 images, 12 boxes (petri_dish ')


def box(*values):
    def change(coco):
        coco['annotations'][0]['bbox'] = list(values)

    return change


def copy_first(section):
    return lambda coco: coco[section].append(dict(coco[section][0]))


def set_first(section, key, value):
    return lambda coco: coco[section][0].update({key: value})


def empty(section):
    return lambda coco: coco[section].clear()


def listed_twice(coco):
    coco['annotations'] += [{**a, 'id': a['id'] + 100} for a in coco['annotations']]


def crowds_alone(coco):
    for annotation in coco['annotations']:
        annotation['iscrowd'] = 1


def corners(coco):
    for annotation in coco['annotations']:
        x, y, width, height = annotation['bbox']
        annotation['bbox'] = [x, y, x + width, y + height]


def shares(coco):
    for annotation in coco['annotations']:
        annotation['bbox'] = [value / 64 for value in annotation['bbox']]


def rotated(coco):
    coco['annotations'][0]['attributes'] = {'rotation': 30.0}


@pytest.mark.parametrize(
    ('change', 'level', 'text'),
    [
        (set_first('annotations', 'id', 0), 'error', 'integers from 1 on'),
        (set_first('annotations', 'id', 'a'), 'error', 'integers from 1 on'),
        (lambda c: c['categories'].append({'id': 9, 'name': 'petri_dish'}), 'error', 'several categories'),
        (set_first('annotations', 'area', 0), 'warning', 'mmdet skips annotation 1: no area'),
        (lambda c: [a.update(area=0) for a in c['annotations']], 'error', 'would skip every one'),
        (copy_first('images'), 'error', "1 used twice as id in 'images'"),
        (copy_first('annotations'), 'error', "1 used twice as id in 'annotations'"),
        (set_first('annotations', 'image_id', 99), 'error', 'image_id 99, which does not exist'),
        (set_first('annotations', 'category_id', 99), 'error', 'category_id 99, which does not exist'),
        (empty('images'), 'error', 'lists no image'),
        (empty('annotations'), 'error', 'has no box in 4 images'),
        (box(1, 2, 3), 'error', 'bbox of annotation 1 is not four finite numbers'),
        (box(1, 2, float('nan'), 4), 'error', 'is not four finite numbers'),
        (box(1, 2, 'x', 4), 'error', 'is not four finite numbers'),
        (box(1, 2, -3, 4), 'warning', 'narrower than a pixel or lies outside'),
        (box(1, 2, 0.5, 4), 'warning', 'narrower than a pixel or lies outside'),
        (box(1000, 2, 30, 40), 'warning', 'narrower than a pixel or lies outside'),
        (box(-5, 2, 30, 40), 'warning', 'reaches beyond its image'),
        (listed_twice, 'warning', '8 box(es) are listed twice (annotation 101, 102, 103 and 5 more)'),
        (crowds_alone, 'error', 'every box is marked iscrowd'),
        (corners, 'error', 'bbox holds x1, y1, x2, y2, expected x, y, width, height. Convert the folder'),
        (shares, 'error', 'bbox is in relative coordinates, expected pixels'),
        (rotated, 'error', '1 boxes have attributes.rotation, as CVAT writes it'),
        (set_first('images', 'file_name', 'absent.jpg'), 'error', "1 of 4 images are not in"),
        (set_first('images', 'file_name', '../secret.jpg'), 'error', 'is outside the image folder'),
        (set_first('images', 'file_name', '/etc/passwd'), 'error', 'is outside the image folder'),
        (set_first('images', 'file_name', 'C:\\x.jpg'), 'error', 'is outside the image folder'),
        (set_first('categories', 'name', 'lid'), 'error', "'petri_dish' not in the file"),
        (lambda c: c['categories'].reverse(), 'error', 'names would be swapped'),
        (lambda c: c['categories'].append({'id': 9, 'name': 'lid'}), 'warning', "'lid' are not in cl"),
    ],
)  # fmt: skip
def test_bad_data_is_named(toy_copy, edit_json, change, level, text):
    edit_json(toy_copy / 'annotations' / 'train.json', change)
    found = [(finding.level, finding.text) for finding in check(toy_copy)]
    assert any(found_level == level and text in found_text for found_level, found_text in found), (
        found
    )


def test_class_without_boxes_is_doubtful(toy_copy, edit_json):
    def change(coco):
        coco['annotations'] = [a for a in coco['annotations'] if a['category_id'] != 1]

    edit_json(toy_copy / 'annotations' / 'train.json', change)
    assert any("no box of 'petri_dish'" in finding.text for finding in check(toy_copy))


def test_few_examples_stand_for_many(toy_copy, edit_json):
    def change(coco):
        for annotation in coco['annotations']:
            annotation['bbox'] = []

    edit_json(toy_copy / 'annotations' / 'train.json', change)
    assert any('1, 2, 3 and 5 more' in finding.text for finding in check(toy_copy))


def test_images_that_are_trained_on_as_well_are_named(toy_copy):
    train, val = (
        Split(toy_copy / 'annotations' / f'{s}.json', toy_copy / s) for s in ('train', 'val')
    )
    assert not list(check_overlap('val data', val, train))
    [finding] = check_overlap('val data', train, train)
    assert finding.level == 'warning'
    assert finding.text.startswith(f'4 of 4 images of {train.ann_file} are also in')


@pytest.mark.parametrize(
    ('sizes', 'level', 'text'),
    [
        ([(4000, 2)], 'error', '1 of 2 images are more than 100 times as long as wide'),
        ([(16, 20)], 'warning', '1 of 2 images are smaller than 32 pixels: training skips them'),
        ([(16, 20), (31, 90)], 'error', 'all 2 images are smaller than 32 pixels'),
    ],
)
def test_images_that_training_cannot_use(toy_copy, edit_json, sizes, level, text):
    for path, size in zip(sorted((toy_copy / 'val').glob('*.jpg')), sizes, strict=False):
        Image.new('RGB', size).save(path)

    def resize(content):
        for image, size in zip(content['images'], sizes, strict=False):
            image['width'], image['height'] = size

    edit_json(toy_copy / 'annotations' / 'val.json', resize)
    found = check_split('val', toy_copy / 'annotations/val.json', toy_copy / 'val', CLASSES)
    assert any(f.level == level and text in f.text for f in found), found


@pytest.mark.parametrize(
    ('size', 'orientation', 'doubtful'),
    [
        ((40, 30), 1, 0),
        ((40, 30), 3, 1),
        ((40, 30), 6, 0),
        ((40, 40), 6, 1),
        ((40, 40), 9, 0),
        (None, 6, 1),
    ],
)
def test_rotations_that_the_listed_sizes_do_not_show(
    toy_copy, edit_json, size, orientation, doubtful
):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = min((toy_copy / 'val').glob('*.jpg'))
    Image.new('RGB', size or (40, 30)).save(path, exif=exif)
    with Image.open(path) as image:
        width, height = ImageOps.exif_transpose(image).size

    def resize(content):
        content['images'][0] |= {'width': width, 'height': height} if size else {'width': 0}
        content['annotations'] = []

    edit_json(toy_copy / 'annotations' / 'val.json', resize)
    split = Split(toy_copy / 'annotations/val.json', toy_copy / 'val')
    split = completed(split, toy_copy / 'completed.json')
    found = check_split('val', split.ann_file, split.img_dir, CLASSES)
    assert sum('1 of 2 images are rotated or mirrored' in f.text for f in found) == doubtful, found
