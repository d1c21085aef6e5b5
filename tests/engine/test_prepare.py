"""The plan of a run: what is read from a config, and which options change what."""

import argparse

import pytest
from mmengine.config import Config
from mmengine.hub import get_config

from mmdet_cleargrasp.engine.config_parts import innermost_dataset, repeats
from mmdet_cleargrasp.engine.prepare import RunOptions, prepare
from mmdet_cleargrasp.engine.run_plan import read_plan
from mmdet_cleargrasp.utils.errors import ConfigError


def test_plan_says_what_will_run(tiny_config, toy_plates, backbone_files, tmp_path):
    options = RunOptions(work_dir=tmp_path / 'run', data_root=toy_plates, epochs=3)
    plan = prepare(tiny_config, options)
    assert plan.loops == ('train', 'val')
    assert plan.work_dir == tmp_path / 'run'
    assert plan.max_epochs == 3
    assert plan.class_counts == {3}
    assert plan.seed == 0
    assert plan.checkpoint is None
    train = plan.data['train']
    assert train.split.ann_file == toy_plates / 'annotations' / 'train.json'
    assert (train.kind, train.repeats, train.keeps_negatives) == ('CocoDataset', 1, True)
    assert train.transforms[0] == 'LoadPhotograph'
    assert plan.data['val'].scored_on == (plan.data['val'].split.ann_file,)
    assert (plan.weights.part, plan.weights.path) == ('backbone', str(backbone_files(18)))


def test_plan_of_a_test_has_a_checkpoint(tiny_config, toy_plates):
    plan = prepare(tiny_config, RunOptions(checkpoint='epoch_1.pth', data_root=toy_plates))
    assert (plan.loops, plan.checkpoint) == (('test',), 'epoch_1.pth')


def test_options_are_taken_from_a_command_line():
    args = argparse.Namespace(epochs=4, amp=True, config='a.py', out='x')
    assert RunOptions.from_args(args) == RunOptions(epochs=4, amp=True)


def test_wrapped_datasets_are_looked_into():
    dataset = dict(type='RepeatDataset', times=3, dataset=dict(type='CocoDataset', ann_file='a'))
    loader = Config(dict(train_dataloader=dict(dataset=dataset))).train_dataloader
    assert (innermost_dataset(loader).ann_file, repeats(loader)) == ('a', 3)


@pytest.mark.parametrize(
    'text',
    ['train_dataloader = 3', 'train_dataloader = dict(dataset=7)', "model = dict(backbone='x')"],
)
def test_config_of_another_form_is_one_message(tmp_path, text):
    (tmp_path / 'odd.py').write_text(f'model = dict()\n{text}\n')
    with pytest.raises(ConfigError, match='cannot be understood|expected a dict'):
        prepare(tmp_path / 'odd.py')


def test_stock_configs_of_mmdetection_have_a_plan():
    cfg = get_config('mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py')
    cfg.update(work_dir='x', launcher='none')
    plan = read_plan(cfg)
    assert plan.class_counts == {80}
    assert plan.weights.loader == 'Pretrained'
