"""What command line options change in a config: length, scale, learning rate, cache."""

import pytest

from mmdet_cleargrasp import config_path
from mmdet_cleargrasp.engine.config_changes import (
    cache_features,
    enable_auto_scale_lr,
    set_epochs,
    set_scale,
)
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.engine.run_plan import read_plan
from mmdet_cleargrasp.utils.errors import ConfigError


@pytest.mark.parametrize('epochs', [1, 2, 30])
def test_epochs_stretch_the_schedule(epochs):
    cfg = load_config(config_path('frcnn_cleargrasp_plates'))
    set_epochs(cfg, epochs)
    warmup, cosine = cfg.param_scheduler
    assert (warmup.begin, warmup.end) == (0, 1)
    assert (cosine.begin, cosine.end) == (1, max(epochs, 2))
    assert cfg.train_cfg.max_epochs == epochs


def test_scale_sets_every_resize():
    cfg = load_config(config_path('frcnn_cleargrasp_plates'))
    set_scale(cfg, (640, 480))
    for data in read_plan(cfg).data.values():
        assert [s.scale for s in data.dataset.pipeline if s.type == 'Resize'] == [(640, 480)]


def test_scale_sets_the_views_of_strong_augmentation():
    cfg = load_config(config_path('frcnn_plates_detector'))
    set_scale(cfg, (640, 480))
    sizes = [s['size'] for s in cfg.train_dataloader.dataset.pipeline if s['type'] == 'RandomView']
    assert sizes == [(640, 480)]
    assert cfg.test_dataloader.dataset.pipeline[1].scale == (640, 480)


@pytest.mark.parametrize(
    'config', ['frcnn_cleargrasp_plates', 'frcnn_p3_efficientnet_lite2_plates']
)
def test_a_run_has_one_feature_cache(config):
    cfg = load_config(config_path(config))
    others = [hook for hook in cfg.custom_hooks if hook.type != 'FeatureCacheHook']
    cache_features(cfg, 'maps')
    assert [h.folder for h in cfg.custom_hooks if h.type == 'FeatureCacheHook'] == ['maps']
    assert [hook for hook in cfg.custom_hooks if hook.type != 'FeatureCacheHook'] == others


def test_scale_does_not_replace_training_at_several_scales():
    cfg = load_config(config_path('frcnn_cleargrasp_plates'))
    cfg.train_dataloader.dataset.pipeline[2] = dict(type='RandomChoiceResize', scales=[(1, 1)])
    with pytest.raises(ConfigError, match='RandomChoiceResize'):
        set_scale(cfg, (640, 480))


def test_auto_scale_lr_needs_a_base(tiny_config):
    cfg = load_config(tiny_config)
    enable_auto_scale_lr(cfg)
    assert cfg.auto_scale_lr.enable
    cfg.pop('auto_scale_lr')
    with pytest.raises(ConfigError, match='base_batch_size'):
        enable_auto_scale_lr(cfg)
