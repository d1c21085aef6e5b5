"""Data and classes of a config, set by --data-root and --test-split."""

import pytest

from mmdet_cleargrasp import config_path
from mmdet_cleargrasp.datasets import read_coco
from mmdet_cleargrasp.datasets.toy_plates import write_toy_plates
from mmdet_cleargrasp.engine.config_data import use_data_root, use_test_split
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.engine.run_plan import read_plan
from mmdet_cleargrasp.utils.errors import DataError


def ann_files(cfg):
    """Annotation file by loop."""
    return {loop: data.split.ann_file for loop, data in read_plan(cfg).data.items()}


@pytest.mark.parametrize('name', ['frcnn_cleargrasp_plates', 'retinanet_cleargrasp_plates'])
def test_data_root_sets_classes_wherever_they_are_needed(name, toy_copy, edit_json):
    def rename(coco):
        coco['categories'] = [{'id': 5, 'name': 'lid'}, {'id': 2, 'name': 'plate'}]
        coco['annotations'] = []

    for split in ('train', 'val'):
        edit_json(toy_copy / 'annotations' / f'{split}.json', rename)
    cfg = load_config(config_path(name))
    use_data_root(cfg, toy_copy)
    head = cfg.model.bbox_head if 'bbox_head' in cfg.model else cfg.model.roi_head.bbox_head
    assert head.num_classes == 2
    for loop, split in (('train', 'train'), ('val', 'val'), ('test', 'val')):
        data = read_plan(cfg).data[loop]
        assert data.classes == ('lid', 'plate')
        assert data.split.ann_file == toy_copy / 'annotations' / f'{split}.json'
        assert data.split.img_dir == toy_copy / split
    assert cfg.val_evaluator.ann_file == str(toy_copy / 'annotations' / 'val.json')
    assert cfg.test_evaluator.ann_file == cfg.val_evaluator.ann_file


def unsplit(root):
    (root / 'annotations' / 'val.json').unlink()
    (root / 'annotations' / 'train.json').rename(root / 'annotations.json')
    (root / 'train').rename(root / 'images')
    return root


def test_data_root_without_splits_is_split_for_training(toy_copy, tmp_path):
    cfg = load_config(config_path('frcnn_cleargrasp_plates'), work_dir=tmp_path / 'run')
    use_data_root(cfg, unsplit(toy_copy))
    counts = [len(read_coco(ann_files(cfg)[loop]).images) for loop in ('train', 'val')]
    assert sum(counts) == 4
    assert min(counts) >= 1
    assert (tmp_path / 'run' / 'splits' / 'train.json').is_file()


def test_data_root_without_splits_is_tested_whole(toy_copy):
    cfg = load_config(config_path('frcnn_cleargrasp_plates'))
    use_data_root(cfg, unsplit(toy_copy), testing=True)
    assert ann_files(cfg)['test'] == toy_copy / 'annotations.json'


@pytest.mark.parametrize(
    ('splits', 'message'),
    [
        (('val', 'test'), 'has no train split, only val, test'),
        (('test',), 'has no train split, only test'),
        (('train', 'test'), None),
    ],
)
def test_a_missing_split_is_not_replaced_by_one_for_another_use(toy_copy, splits, message):
    (toy_copy / 'train').rename(toy_copy / 'images')
    whole = (toy_copy / 'annotations' / 'train.json').read_text()
    for file in (toy_copy / 'annotations').iterdir():
        file.unlink()
    for name in splits:
        (toy_copy / 'annotations' / f'{name}.json').write_text(whole)
    cfg = load_config(config_path('frcnn_cleargrasp_plates'))
    if message:
        with pytest.raises(DataError, match=message):
            use_data_root(cfg, toy_copy)
    else:
        use_data_root(cfg, toy_copy)
        assert ann_files(cfg)['val'].name == 'test.json'


def test_splits_of_different_categories_are_refused(toy_copy, edit_json):
    edit_json(
        toy_copy / 'annotations' / 'val.json', lambda coco: coco['categories'][0].update(name='lid')
    )
    with pytest.raises(DataError, match='categories differ'):
        use_data_root(load_config(config_path('frcnn_cleargrasp_plates')), toy_copy)


def test_data_root_sets_the_classes_of_a_detector_file(toy_copy, edit_json):
    for split in ('train', 'val'):
        path = toy_copy / 'annotations' / f'{split}.json'
        edit_json(path, lambda coco: coco['categories'][0].update(name='cup'))
    cfg = load_config(config_path('frcnn_coco_finetuned_plates'))
    use_data_root(cfg, toy_copy)
    assert cfg.model.init_cfg.classes == cfg.train_dataloader.dataset.metainfo.classes
    assert 'cup' in cfg.model.init_cfg.classes


@pytest.mark.parametrize('data_root', [True, False], ids=['data root', 'config'])
def test_test_split_is_found_beside_the_others(toy_copy, tmp_path, data_root):
    hard = write_toy_plates(tmp_path / 'other', train=2, val=2, size=64)
    (hard / 'annotations' / 'val.json').rename(toy_copy / 'annotations' / 'hard.json')
    (hard / 'val').rename(toy_copy / 'hard')
    cfg = load_config(config_path('frcnn_cleargrasp_plates'))
    use_data_root(cfg, toy_copy)
    use_test_split(cfg, 'hard', data_root=toy_copy if data_root else None)
    data = read_plan(cfg).data['test']
    assert data.split.ann_file == toy_copy / 'annotations' / 'hard.json'
    assert data.split.img_dir == toy_copy / 'hard'
    assert data.scored_on == (data.split.ann_file,)
    assert ann_files(cfg)['val'] == toy_copy / 'annotations' / 'val.json'


def test_test_split_that_is_not_there_is_named_with_those_that_are(toy_copy):
    cfg = load_config(config_path('frcnn_cleargrasp_plates'))
    with pytest.raises(DataError, match="no split 'hard'.*there are train, val"):
        use_test_split(cfg, 'hard', data_root=toy_copy)
