import json
import shutil

import pytest

from mmdet_cleargrasp.datasets import find_splits, read_coco, split_at_random
from mmdet_cleargrasp.datasets.completion import completed
from mmdet_cleargrasp.datasets.layout import splits_of_loops
from mmdet_cleargrasp.datasets.split import Split
from mmdet_cleargrasp.utils.errors import DataError


def roboflow(root):
    for split, name in (('train', 'train'), ('val', 'valid')):
        (root / split).rename(root / f'{name}_')
        (root / f'{name}_').rename(root / name)
        shutil.move(root / 'annotations' / f'{split}.json', root / name / '_annotations.coco.json')
    (root / 'annotations').rmdir()


def images_folder(root):
    (root / 'images').mkdir()
    for split in ('train', 'val'):
        (root / split).rename(root / 'images' / split)


def coco_names(root):
    for split in ('train', 'val'):
        source = root / 'annotations' / f'{split}.json'
        source.rename(root / 'annotations' / f'instances_{split}2017.json')


def coco_2017(root):
    coco_names(root)
    for split in ('train', 'val'):
        (root / split).rename(root / f'{split}2017')
        # Of the same images, but not for detection.
        (root / 'annotations' / f'captions_{split}2017.json').write_text('{"images": []}')


def subsets_of_cvat(root):
    for split, name in (('train', 'Train'), ('val', 'Validation')):
        source = root / 'annotations' / f'{split}.json'
        source.rename(root / 'annotations' / f'instances_{name}.json')
        (root / 'images').mkdir(exist_ok=True)
        (root / split).rename(root / 'images' / name)


def capitals(root):
    (root / 'annotations').rename(root / 'Annotations')
    for split in ('train', 'val'):
        (root / split).rename(root / split.upper())


def images_beside_annotations(root):
    for split in ('train', 'val'):
        for path in (root / split).iterdir():
            path.rename(root / 'annotations' / path.name)
        (root / split).rmdir()


@pytest.mark.parametrize(
    'arrange',
    [lambda root: None, roboflow, images_folder, coco_names, coco_2017, subsets_of_cvat, capitals,
     images_beside_annotations],
)  # fmt: skip
def test_layouts_are_recognized(toy_copy, arrange):
    arrange(toy_copy)
    splits = find_splits(toy_copy)
    assert set(splits) == {'train', 'val'}
    for split, count in (('train', 4), ('val', 2)):
        images = read_coco(splits[split].ann_file).images
        assert len(images) == count
        assert all((splits[split].img_dir / image['file_name']).is_file() for image in images)


def test_one_file_is_the_whole(toy_copy):
    assert whole(toy_copy).img_dir == toy_copy / 'images'


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda root: shutil.rmtree(root), 'no folder at'),
        (
            lambda root: shutil.rmtree(root / 'annotations'),
            'holds no .json file; expected a folder',
        ),
        (lambda root: shutil.rmtree(root / 'train'), 'names images that are not there; looked for'),
    ],
)
def test_folders_that_cannot_be_used(toy_copy, spoil, message):
    spoil(toy_copy)
    with pytest.raises(DataError, match=message):
        find_splits(toy_copy)


def whole(root):
    (root / 'annotations' / 'val.json').unlink()
    (root / 'annotations' / 'train.json').rename(root / 'annotations.json')
    (root / 'train').rename(root / 'images')
    return find_splits(root)['all']


def test_random_split_has_every_image_once_and_is_seeded(toy_copy, tmp_path):
    split = whole(toy_copy)
    splits = split_at_random(split, tmp_path / 'a', val_fraction=0.5, seed=1)
    train, val = (read_coco(splits[name].ann_file) for name in ('train', 'val'))
    names = sorted(image['file_name'] for image in train.images + val.images)
    assert names == sorted(image['file_name'] for image in read_coco(split.ann_file).images)
    assert train.annotations and val.annotations
    assert {a['image_id'] for a in val.annotations} <= {image['id'] for image in val.images}
    again = split_at_random(split, tmp_path / 'b', val_fraction=0.5, seed=1)
    assert splits['val'].ann_file.read_bytes() == again['val'].ann_file.read_bytes()


def test_random_split_needs_two_images_with_boxes(toy_copy, tmp_path, edit_json):
    split = whole(toy_copy)

    def change(coco):
        coco['annotations'] = [a for a in coco['annotations'] if a['image_id'] == 1]

    edit_json(split.ann_file, change)
    with pytest.raises(DataError, match='at least two'):
        split_at_random(split, tmp_path / 'out')


def test_written_splits_are_json(toy_copy, tmp_path):
    splits = split_at_random(whole(toy_copy), tmp_path / 'out')
    assert set(json.loads(splits['train'].ann_file.read_text())) == {
        'images', 'annotations', 'categories',
    }  # fmt: skip


def test_no_image_changes_its_split_when_others_are_added(tmp_path, edit_json):
    def coco(count):
        return {
            'images': [
                {'id': k, 'file_name': f'{k}.jpg', 'width': 9, 'height': 9} for k in range(count)
            ],
            'annotations': [
                {
                    'id': k + 1,
                    'image_id': k,
                    'category_id': 1,
                    'bbox': [0, 0, 5, 5],
                    'area': 25,
                    'iscrowd': 0,
                }
                for k in range(count)
            ],
            'categories': [{'id': 1, 'name': 'plate'}],
        }

    names = []
    for count in (40, 80):
        (tmp_path / 'all.json').write_text(json.dumps(coco(count)))
        splits = split_at_random(Split(tmp_path / 'all.json', tmp_path), tmp_path / str(count))
        names.append({i['file_name'] for i in read_coco(splits['val'].ann_file).images})
    assert names[0] == {name for name in names[1] if int(name[:-4]) < 40}
    assert 0.1 < len(names[1]) / 80 < 0.3


TRAIN = 'annotations/train.json'


def lacking(section, key):
    def change(coco):
        for entry in coco[section]:
            del entry[key]

    return change


def string_ids(coco):
    for entry in coco['annotations']:
        entry |= {key: f'no {entry[key]}' for key in ('image_id', 'category_id')}
    for section in ('images', 'categories'):
        for entry in coco[section]:
            entry['id'] = f'no {entry["id"]}'


def root_category(coco):
    for category in coco['categories']:
        category['supercategory'] = 'plates-5xQf'
    coco['categories'].insert(0, {'id': 0, 'name': 'plates-5xQf', 'supercategory': 'none'})


def no_sizes(coco):
    for image in coco['images']:
        image |= {'width': 0, 'height': 0}


@pytest.mark.parametrize(
    'change',
    [
        lambda coco: coco['annotations'][0].update(id=0),
        lambda coco: coco['annotations'][0].update(id='a'),
        lacking('annotations', 'id'),
        lacking('annotations', 'area'),
        lacking('annotations', 'iscrowd'),
        lacking('images', 'width'),
        no_sizes,
        string_ids,
        root_category,
    ],
)
def test_what_is_missing_is_added_in_a_copy(toy_copy, tmp_path, edit_json, change):
    split = Split(toy_copy / TRAIN, toy_copy / 'train')
    assert completed(split, tmp_path / 'copy.json') == split
    before = read_coco(toy_copy / TRAIN)
    edit_json(toy_copy / TRAIN, change)
    copy = completed(split, tmp_path / 'copy.json')
    assert copy == Split(tmp_path / 'copy.json', split.img_dir)
    after = read_coco(copy.ann_file)
    assert after.classes == before.classes
    assert [a['id'] for a in after.annotations] == list(range(1, 9))
    for key in ('bbox', 'area', 'iscrowd', 'image_id'):
        assert [a[key] for a in after.annotations] == [a[key] for a in before.annotations]
    assert [i['width'] for i in after.images] == [i['width'] for i in before.images]


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16'])
def test_other_encodings_are_copied(toy_copy, tmp_path, encoding):
    path = toy_copy / TRAIN
    path.write_bytes(path.read_text().encode(encoding))
    with pytest.raises(DataError, match='is not valid JSON'):
        read_coco(path)
    copy = completed(Split(path, toy_copy / 'train'), tmp_path / 'copy.json')
    assert len(read_coco(copy.ann_file).annotations) == 8


def test_categories_in_another_order_are_matched_by_name(toy_copy, tmp_path, edit_json):
    """mmdet numbers labels in the order of each file's categories."""

    def change(coco):
        coco['categories'] = [c for c in coco['categories'][::-1] if c['name'] != 'square_dish']
        coco['annotations'] = [a for a in coco['annotations'] if a['category_id'] != 2]

    edit_json(toy_copy / 'annotations' / 'val.json', change)
    splits, classes = splits_of_loops(toy_copy, tmp_path)
    assert classes == ('petri_dish', 'square_dish', 'multiwell_plate')
    assert splits['val'] == splits['test'] == Split(tmp_path / 'val.json', toy_copy / 'val')
    assert read_coco(splits['val'].ann_file).classes == classes
    edit_json(
        toy_copy / 'annotations' / 'val.json', lambda coco: coco['categories'][0].update(name='lid')
    )
    with pytest.raises(DataError, match="the categories differ: .*val.json has boxes of 'lid'"):
        splits_of_loops(toy_copy, tmp_path)


TRAINED = ('multiwell_plate', 'petri_dish', 'square_dish')


@pytest.mark.parametrize(
    ('trained', 'expected'),
    [
        (TRAINED, TRAINED),  # as to_coco.py orders them
        (('lid', *TRAINED), ('lid', *TRAINED)),
        (('lid',), ('petri_dish', 'square_dish', 'multiwell_plate')),  # refused later, by name
    ],
)
def test_data_to_test_on_get_the_order_of_the_detector_s_classes(
    toy_copy, tmp_path, trained, expected
):
    splits, classes = splits_of_loops(toy_copy, tmp_path, testing=True, trained=trained)
    assert classes == read_coco(splits['test'].ann_file).classes == expected
    assert len(read_coco(splits['test'].ann_file).annotations) == 4


def test_train_alone_is_tested_whole(toy_copy, tmp_path):
    (toy_copy / 'annotations' / 'val.json').unlink()
    splits, _ = splits_of_loops(toy_copy, tmp_path, testing=True)
    assert splits == {'test': Split(toy_copy / TRAIN, toy_copy / 'train')}


def test_train_alone_is_split(toy_copy, tmp_path):
    roboflow(toy_copy)
    shutil.rmtree(toy_copy / 'valid')
    splits, _ = splits_of_loops(toy_copy, tmp_path)
    images = [
        i['file_name'] for name in ('train', 'val') for i in read_coco(splits[name].ann_file).images
    ]
    assert len(set(images)) == len(images) == 4


def test_other_formats_name_the_conversion_command(toy_copy):
    (toy_copy / TRAIN).rename(toy_copy / 'a.json')
    (toy_copy / 'annotations' / 'val.json').rename(toy_copy / 'b.json')
    with pytest.raises(DataError, match=f'to_coco.py {toy_copy} NEW_DIR'):
        find_splits(toy_copy)


@pytest.mark.parametrize(
    ('bbox', 'message'),
    [
        (lambda x, y, w, h: [x, y, x + w, y + h], 'bbox holds x1, y1, x2, y2'),
        (lambda x, y, w, h: [x / 64, y / 64, w / 64, h / 64], 'bbox is in relative coordinates'),
        (lambda x, y, w, h: [], 'no bbox is four numbers'),
        (lambda x, y, w, h: {'x': x, 'y': y, 'width': w, 'height': h}, 'expected list'),
    ],
)
def test_boxes_written_otherwise_have_to_be_converted(toy_copy, tmp_path, edit_json, bbox, message):
    def change(coco):
        for annotation in coco['annotations']:
            annotation['bbox'] = bbox(*annotation['bbox'])

    edit_json(toy_copy / TRAIN, change)
    with pytest.raises(DataError, match=f'train.json.*{message}.*to_coco.py'):
        splits_of_loops(toy_copy, tmp_path)
