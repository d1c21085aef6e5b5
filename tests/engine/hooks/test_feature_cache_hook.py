"""A run with the cache learns what a run without it learns, and computes its backbone once."""

from types import SimpleNamespace

import pytest
import torch

from mmdet_cleargrasp.engine.checks import check_run
from mmdet_cleargrasp.engine.config_changes import set_epochs
from mmdet_cleargrasp.engine.config_data import use_data_root
from mmdet_cleargrasp.engine.hooks import feature_cache_hook
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.engine.run_plan import read_plan
from mmdet_cleargrasp.engine.runner import build_runner

HOOK = 'FeatureCacheHook'


@pytest.fixture
def configure(tiny_config, toy_plates, tmp_path):
    def make(name, cached):
        cfg = load_config(tiny_config, work_dir=tmp_path / name)
        use_data_root(cfg, toy_plates)
        set_epochs(cfg, 3)
        dataset = cfg.train_dataloader.dataset
        dataset.pipeline = [step for step in dataset.pipeline if step.type != 'RandomFlip']
        if cached:
            cfg.custom_hooks.append(dict(type=HOOK, folder=str(tmp_path / 'cache')))
        cfg.experiment_name = f'{tmp_path.name}_{name}'
        return cfg

    return make


def train(cfg):
    runner = build_runner(cfg)
    runner.train()
    return runner


def test_a_cached_run_is_an_ordinary_run(configure):
    plain = train(configure('plain', cached=False))
    cached = train(configure('cached', cached=True))
    for (name, a), b in zip(
        plain.model.state_dict().items(), cached.model.state_dict().values(), strict=True
    ):
        assert torch.allclose(a, b, atol=1e-4), name
    cache = next(hook for hook in cached.hooks if type(hook).__name__ == HOOK).cache
    # 6 training and 3 validation images; two more epochs of each find them.
    assert (cache.misses, cache.hits) == (9, 18)
    assert cached.model.backbone.feature_cache is None


@pytest.mark.parametrize('half_of_the_disk', [1.0, 1e-4])
def test_at_most_half_of_the_free_disk_is_used(configure, monkeypatch, half_of_the_disk):
    free = SimpleNamespace(free=2e9 * half_of_the_disk)
    monkeypatch.setattr(feature_cache_hook.shutil, 'disk_usage', lambda folder: free)
    runner = train(configure('cached', cached=True))
    cache = next(hook for hook in runner.hooks if type(hook).__name__ == HOOK).cache
    sizes = [file.stat().st_size for file in cache.folder.glob('*/*.npy')]
    assert sum(sizes) <= 1e9 * half_of_the_disk
    fits = half_of_the_disk == 1
    assert (cache.full, len(sizes) == 9) == (not fits, fits)


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda cfg: None, None),
        (lambda cfg: cfg.train_dataloader.dataset.pipeline.insert(3, dict(type='PhotoMetricDistortion')), 'PhotoMetricDistortion may change'),
        (lambda cfg: cfg.model.backbone.update(frozen=False), 'needs model.backbone.frozen=True'),
        (lambda cfg: cfg.custom_hooks[-1].update(folder=f'{__file__}/cache'), 'is not a folder that you may write to'),
    ],
)  # fmt: skip
def test_a_cache_that_would_find_nothing_is_refused(configure, spoil, message):
    cfg = configure('checked', cached=True)
    spoil(cfg)
    errors = [f.text for f in check_run(read_plan(cfg)) if f.level == 'error']
    assert bool(errors) == bool(message)
    assert not message or message in errors[0]
