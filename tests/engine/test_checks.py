"""What is checked before a run: what passes, and what each mistake is told."""

import pytest
import torch

from mmdet_cleargrasp import config_path
from mmdet_cleargrasp.datasets.split import Split
from mmdet_cleargrasp.engine import checks
from mmdet_cleargrasp.engine.checks.environment import check_device
from mmdet_cleargrasp.engine.config_changes import set_epochs
from mmdet_cleargrasp.engine.config_data import set_split, use_data_root
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.engine.run_plan import read_plan
from mmdet_cleargrasp.utils.errors import ConfigError


@pytest.fixture
def cfg(tiny_config, toy_plates, tmp_path):
    cfg = load_config(tiny_config, work_dir=tmp_path / 'run')
    use_data_root(cfg, toy_plates)
    return cfg


def check_run(cfg, checkpoint=None):
    cfg.load_from = checkpoint and str(checkpoint)
    return checks.check_run(read_plan(cfg, ('test',) if checkpoint else ('train', 'val')))


def check_model(cfg):
    return checks.collect(checks.check_model(read_plan(cfg)))


def check_schedule(cfg):
    return list(checks.check_schedule(read_plan(cfg)))


def levels(findings):
    return {finding.level for finding in findings}


def test_good_run_passes(cfg):
    findings = check_run(cfg)
    assert 'error' not in levels(findings), checks.describe(findings)
    subjects = {finding.subject for finding in findings}
    assert subjects >= {'versions', 'device', 'train data', 'val data', 'backbone', 'strides'}


DENSE = {'model.backbone.trained_stride': 8, 'model.backbone.output_stride': 8}
FITTED = {
    'model.rpn_head.anchor_generator.strides': [4, 8, 8, 8, 16],
    'model.roi_head.bbox_roi_extractor.featmap_strides': [4, 8, 8, 8],
}


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'model.backbone.init_cfg.checkpoint': 'absent.pth'}, 'no checkpoint at absent.pth'),
        ({'model.backbone.depth': 34}, r'holds ResNet-18 .*asks for ResNet-34.*depth=18'),
        ({'model.backbone.depth': 42}, r'depth=42, expected one of'),
        ({'model.backbone.color': 'red'}, 'color'),
        ({'model.backbone.type': 'ClearGraspResnet'}, 'ClearGraspResnet is not in the'),
        ({'model.backbone.init_cfg': None}, 'frozen, but its init_cfg has no ClearGraspCheckpoint'),
        ({'model.backbone.init_cfg.type': 'Pretrained'}, 'frozen, but its init_cfg has no'),
        ({'train_dataloader.persistent_workers': True}, 'num_workers=0 needs'),
        (DENSE, r'rpn_head has strides \[4, 8, 16, 32, 64\].*\[4, 8, 8, 8, 16\]'),
        ({'model.roi_head.bbox_head.num_classes': 80}, 'num_classes=80'),
        (
            {'train_dataloader.dataset.metainfo.classes': 'plate'},
            r"classes is 'plate', .*\('plate',\)",
        ),
        ({'train_dataloader.dataset.ann_file': 'absent.json'}, 'no annotation file at absent.json'),
        ({'val_evaluator.ann_file': 'other.json'}, 'val_evaluator.ann_file is other.json'),
        ({'work_dir': __file__}, 'not a folder that you may write to'),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else '',
)
def test_what_is_in_the_way_is_named(cfg, changes, message):
    cfg.merge_from_dict(changes)
    with pytest.raises(ConfigError, match=message):
        checks.refuse_errors(check_run(cfg))


@pytest.mark.parametrize(
    ('checkpoint', 'split', 'warned'),
    [
        ('best_coco.pth', 'val', True),
        ('epoch_1.pth', 'val', False),
        ('best_coco.pth', 'train', False),
    ],
)
def test_best_checkpoint_on_the_images_it_was_chosen_on(cfg, checkpoint, split, warned):
    set_split(cfg, 'test', read_plan(cfg).data[split].split)
    cfg.load_from = checkpoint
    found = checks.describe(list(checks.check_data(read_plan(cfg, ('test',)), 'test')))
    assert ('was selected as the best on these images' in found) == warned


def test_series_in_train_and_val_give_a_warning_with_group_by(cfg, toy_copy, edit_json):
    for split, letters in (('train', 'abcd'), ('val', 'ef')):
        file = toy_copy / 'annotations' / f'{split}.json'
        names = [f'dish{k}_{letter}.jpg' for k in range(4) for letter in letters]

        def rename(coco, names=names):
            coco['images'] = [{**coco['images'][0], 'id': k, 'file_name': name}
                              for k, name in enumerate(names)]  # fmt: skip

        edit_json(file, rename)
    set_split(cfg, 'train', Split(toy_copy / 'annotations' / 'train.json', toy_copy / 'train'))
    set_split(cfg, 'val', Split(toy_copy / 'annotations' / 'val.json', toy_copy / 'val'))
    found = [f for f in check_run(cfg) if 'data leakage' in f.text]
    [finding] = found
    assert finding.level == 'warning' and finding.subject == 'val data'
    assert '4 series' in finding.text and '--group-by' in finding.text


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
def test_mixed_precision_without_gpu_is_refused(cfg):
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    assert 'error' in levels(check_device(read_plan(cfg)))


def test_dense_backbone_with_fitted_strides_passes(cfg):
    cfg.merge_from_dict({**DENSE, **FITTED})
    assert levels(check_model(cfg)) == {'ok'}


@pytest.mark.parametrize(
    ('start_level', 'strides'), [(0, [4, 8, 16, 32, 64]), (1, [8, 16, 32, 64, 128])]
)
def test_pyramids_start_where_the_neck_does(start_level, strides):
    name = 'retinanet' if start_level else 'frcnn'
    cfg = load_config(config_path(f'{name}_cleargrasp_plates'))
    found = checks.describe(check_model(cfg))
    assert f'{strides} in backbone and neck' in found


@pytest.mark.parametrize(
    'scheduler',
    [dict(type='LinearLR', by_epoch=False, end=500), dict(type='CosineAnnealingLR', end=8)],
)
def test_schedule_of_another_length_than_the_run_is_doubtful(cfg, scheduler):
    cfg.param_scheduler = [scheduler]
    found = checks.describe(check_schedule(cfg))
    assert 'is scheduled for' in found


@pytest.mark.parametrize(
    ('out_indices', 'level', 'message'),
    [
        ((0, 1, 2, 3), 'ok', '[4, 8, 16, 32, 64] in backbone and neck'),
        ((1, 2, 3), 'error', 'backbone and neck give [8, 16, 32, 64, 128]'),
    ],
)
def test_strides_of_a_backbone_that_does_not_publish_them_are_measured(
    cfg, out_indices, level, message
):
    heads = dict(embed_dims=24, num_heads=[1, 1, 1, 1], out_indices=out_indices)
    cfg.model.backbone = dict(type='SwinTransformer', **heads)
    strides = [finding for finding in check_model(cfg) if finding.subject == 'strides']
    assert levels(strides) == {level}
    assert all(message in finding.text for finding in strides)


def test_other_dataset_types_are_not_checked(cfg):
    cfg.train_dataloader.dataset = dict(type='VOCDataset', ann_file='ids.txt')
    assert levels(checks.check_data(read_plan(cfg), 'train')) == {'warning'}
    assert not check_schedule(cfg)


def test_run_of_few_steps_gives_a_warning_with_the_epochs_needed(cfg):
    found = checks.describe(check_schedule(cfg))
    assert '24 epochs of 3 steps are 72 steps; randomly initialized heads' in found
    assert '--epochs 167' in found
    cfg.model.init_cfg = dict(type='DetectorCheckpoint', checkpoint='detector.pth')
    found = checks.describe(check_schedule(cfg))
    assert '72 steps; fine-tuning needs about a hundred: --epochs 34 or more' in found
    set_epochs(cfg, 34)
    assert levels(check_schedule(cfg)) == {'ok'}


def test_checkpoint_of_another_model_is_refused(cfg, tmp_path):
    torch.save({'state_dict': {'backbone.conv1.weight': torch.ones(1)}}, tmp_path / 'other.pth')
    found = checks.describe(check_run(cfg, tmp_path / 'other.pth'))
    assert 'does not fit the model of this config' in found


def test_backbone_file_given_as_checkpoint_is_explained(cfg, backbone_files):
    found = checks.describe(check_run(cfg, backbone_files(18)))
    assert 'belongs in init_cfg.checkpoint' in found
