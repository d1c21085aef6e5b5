import json
import shutil

import pytest

from mmdet_cleargrasp.datasets import find_splits, read_coco, split_at_random
from mmdet_cleargrasp.datasets.layout import Split, renumbered
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


@pytest.mark.parametrize('arrange', [lambda root: None, roboflow, images_folder, coco_names])
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


def test_parting_keeps_every_image_once_and_is_seeded(toy_copy, tmp_path):
    split = whole(toy_copy)
    parts = split_at_random(split, tmp_path / 'a', val_fraction=0.5, seed=1)
    train, val = (read_coco(parts[name].ann_file) for name in ('train', 'val'))
    names = sorted(image['file_name'] for image in train.images + val.images)
    assert names == sorted(image['file_name'] for image in read_coco(split.ann_file).images)
    assert train.annotations and val.annotations
    assert {a['image_id'] for a in val.annotations} <= {image['id'] for image in val.images}
    again = split_at_random(split, tmp_path / 'b', val_fraction=0.5, seed=1)
    assert parts['val'].ann_file.read_bytes() == again['val'].ann_file.read_bytes()


def test_parting_needs_two_images_with_boxes(toy_copy, tmp_path, edit_json):
    split = whole(toy_copy)

    def change(coco):
        coco['annotations'] = [a for a in coco['annotations'] if a['image_id'] == 1]

    edit_json(split.ann_file, change)
    with pytest.raises(DataError, match='at least two'):
        split_at_random(split, tmp_path / 'out')


def test_written_parts_are_json(toy_copy, tmp_path):
    parts = split_at_random(whole(toy_copy), tmp_path / 'out')
    assert set(json.loads(parts['train'].ann_file.read_text())) == {
        'images', 'annotations', 'categories',
    }  # fmt: skip


def test_no_image_changes_sides_when_others_are_added(tmp_path, edit_json):
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

    sides = []
    for count in (40, 80):
        (tmp_path / 'all.json').write_text(json.dumps(coco(count)))
        parts = split_at_random(Split(tmp_path / 'all.json', tmp_path), tmp_path / str(count))
        sides.append({i['file_name'] for i in read_coco(parts['val'].ann_file).images})
    assert sides[0] == {name for name in sides[1] if int(name[:-4]) < 40}
    assert 0.1 < len(sides[1]) / 80 < 0.3


def test_ids_from_zero_are_renumbered_in_a_copy(toy_copy, tmp_path, edit_json):
    path = toy_copy / 'annotations' / 'train.json'
    split = Split(path, toy_copy / 'train')
    assert renumbered(split, tmp_path / 'copy.json') == split
    edit_json(path, lambda coco: coco['annotations'][0].update(id=0))
    copy = renumbered(split, tmp_path / 'copy.json')
    assert copy == Split(tmp_path / 'copy.json', split.img_dir)
    assert [a['id'] for a in read_coco(copy.ann_file).annotations] == list(range(1, 9))
