import pytest
from mmengine.config import Config

from mmdet_cleargrasp import config_dir, config_path
from mmdet_cleargrasp.datasets import read_coco
from mmdet_cleargrasp.engine.run_config import (
    KNOBS,
    innermost_dataset,
    load_config,
    set_epochs,
    split_paths,
    use_data_root,
)
from mmdet_cleargrasp.utils.errors import ConfigError, DataError


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (None, 'no config at'),
        ('model = dict(', 'cannot be read: SyntaxError'),
        ('x = 1', 'has no model'),
        ("_base_ = 'absent.py'\nmodel = dict()", 'cannot be read: .*absent.py'),
        ('model = undefined_name', 'undefined_name'),
    ],
)
def test_config_that_cannot_be_used_is_named(tmp_path, text, message):
    path = tmp_path / 'config.py'
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(path)


@pytest.mark.parametrize(
    ('argument', 'in_config', 'expected'),
    [('given', 'said', 'given'), (None, 'said', 'said'), (None, None, 'work_dirs/config')],
)
def test_work_dir_is_given_said_or_named_after_the_config(tmp_path, argument, in_config, expected):
    (tmp_path / 'config.py').write_text(f'model = dict()\nwork_dir = {in_config!r}')
    assert load_config(tmp_path / 'config.py', argument).work_dir == expected


def test_options_replace_values():
    cfg = load_config(
        config_path('frcnn_cleargrasp_plates'), cfg_options={'train_dataloader.batch_size': 7}
    )
    assert cfg.train_dataloader.batch_size == 7


@pytest.mark.parametrize('name', sorted(KNOBS))
def test_options_that_come_too_late_name_what_to_set(name):
    configs = (Config.fromfile(path) for path in sorted(config_dir().glob('*.py')))
    target = cfg = next(cfg for cfg in configs if name in cfg)
    for key in (
        KNOBS[name].split()[0].split('.') if '.' in KNOBS[name] else ['train_cfg', 'max_epochs']
    ):
        target = target[int(key)] if key.isdigit() else target[key]
    assert '--' in KNOBS[name] or target == cfg[name] or cfg[name] in target
    with pytest.raises(ConfigError, match=f'too late.*{KNOBS[name]}'):
        load_config(cfg.filename, cfg_options={name: 1})


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
        dataset = innermost_dataset(cfg[f'{loop}_dataloader'])
        assert dataset.metainfo.classes == ('lid', 'plate')
        assert split_paths(dataset).ann_file == toy_copy / 'annotations' / f'{split}.json'
        assert split_paths(dataset).img_dir == toy_copy / split
    assert cfg.val_evaluator.ann_file == str(toy_copy / 'annotations' / 'val.json')
    assert cfg.test_evaluator.ann_file == cfg.val_evaluator.ann_file


def unsplit(root):
    (root / 'annotations' / 'val.json').unlink()
    (root / 'annotations' / 'train.json').rename(root / 'annotations.json')
    (root / 'train').rename(root / 'images')
    return root


def test_data_root_without_splits_is_parted_for_training(toy_copy, tmp_path):
    cfg = load_config(config_path('frcnn_cleargrasp_plates'), work_dir=tmp_path / 'run')
    use_data_root(cfg, unsplit(toy_copy))
    counts = [len(read_coco(split_paths(cfg[f'{k}_dataloader'].dataset).ann_file).images)
              for k in ('train', 'val')]  # fmt: skip
    assert sum(counts) == 4
    assert min(counts) >= 1
    assert (tmp_path / 'run' / 'splits' / 'train.json').is_file()


def test_data_root_without_splits_is_tested_whole(toy_copy):
    cfg = load_config(config_path('frcnn_cleargrasp_plates'))
    use_data_root(cfg, unsplit(toy_copy), whole=True)
    assert split_paths(cfg.test_dataloader.dataset).ann_file == toy_copy / 'annotations.json'


def test_splits_of_different_categories_are_refused(toy_copy, edit_json):
    edit_json(toy_copy / 'annotations' / 'val.json', lambda coco: coco['categories'].pop())
    with pytest.raises(DataError, match='categories differ'):
        use_data_root(load_config(config_path('frcnn_cleargrasp_plates')), toy_copy)


@pytest.mark.parametrize('epochs', [1, 2, 30])
def test_epochs_stretch_the_schedule(epochs):
    cfg = load_config(config_path('frcnn_cleargrasp_plates'))
    set_epochs(cfg, epochs)
    warmup, cosine = cfg.param_scheduler
    assert (warmup.begin, warmup.end) == (0, 1)
    assert (cosine.begin, cosine.end) == (1, max(epochs, 2))
    assert cfg.train_cfg.max_epochs == epochs


def test_data_root_keeps_wrapped_data_sets():
    dataset = dict(type='RepeatDataset', times=3, dataset=dict(type='CocoDataset', ann_file='a'))
    cfg = Config(dict(train_dataloader=dict(dataset=dataset)))
    assert innermost_dataset(cfg.train_dataloader).ann_file == 'a'


def test_data_root_tells_a_detector_s_file_the_classes(toy_copy, edit_json):
    for split in ('train', 'val'):
        path = toy_copy / 'annotations' / f'{split}.json'
        edit_json(path, lambda coco: coco['categories'][0].update(name='cup'))
    cfg = load_config(config_path('frcnn_coco_finetuned_plates'))
    use_data_root(cfg, toy_copy)
    assert cfg.model.init_cfg.classes == cfg.train_dataloader.dataset.metainfo.classes
    assert 'cup' in cfg.model.init_cfg.classes
