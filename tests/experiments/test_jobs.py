"""What an experiment's runs have in common, and in what they differ."""

import dataclasses
import json
import re

import pytest
from mmengine.config import Config

from mmdet_cleargrasp.datasets.split import Split
from mmdet_cleargrasp.engine.run_plan import read_plan
from mmdet_cleargrasp.experiments.jobs import check_arms, plan_experiment, write_plan
from mmdet_cleargrasp.experiments.spec import Arm, ExperimentSpec
from mmdet_cleargrasp.utils.errors import ConfigError


@pytest.fixture
def spec(tiny_config, toy_plates):
    """Two arms on the toy plates, which have 6 training images."""
    arms = (
        Arm('short', tiny_config),
        Arm('gentle', tiny_config, {'optim_wrapper.optimizer.lr': 1e-5}),
    )
    tests = (Split(toy_plates / 'annotations' / 'val.json', toy_plates / 'val'),)
    return ExperimentSpec(
        'mine', arms, seeds=(0, 1), fractions=(34, 100), epochs=4, data_root=toy_plates, tests=tests
    )


def plan(spec, tmp_path, **changes):
    return plan_experiment(dataclasses.replace(spec, **changes), tmp_path / 'mine')


def test_every_arm_runs_with_every_seed_on_every_subset(spec, tmp_path):
    jobs = plan(spec, tmp_path).jobs
    assert [(job.seed, job.fraction, job.arm) for job in jobs] == [
        (seed, fraction, arm) for seed in (0, 1) for fraction in (100, 34) for arm in ('short', 'gentle')
    ]  # fmt: skip
    assert jobs[0].folder.endswith('mine/short/fraction-100/seed-0')


def test_an_arm_may_have_its_own_fractions(spec, tmp_path):
    arms = (spec.arms[0], dataclasses.replace(spec.arms[1], fractions=(100,)))
    jobs = plan(spec, tmp_path, arms=arms, seeds=(0,)).jobs
    expected = [(100, 'short'), (100, 'gentle'), (34, 'short')]
    assert [(job.fraction, job.arm) for job in jobs] == expected


@pytest.mark.parametrize(
    ('equal', 'times', 'steps'), [('steps', 3, 12), ('epochs', 1, 4)]
)  # 2 of 6 images in batches of 2, for 4 epochs
def test_small_subsets_take_as_many_steps_or_as_many_epochs(spec, tmp_path, equal, times, steps):
    made = plan(spec, tmp_path, equal=equal)
    job = next(job for job in made.jobs if job.fraction == 34)
    dataset = made.configs[job.train_config].train_dataloader.dataset
    assert dataset.get('times', 1) == times
    assert (job.images, job.epochs, job.steps) == (2, 4, steps)


def test_scale_holds_in_training_and_tests(spec, tmp_path):
    made = plan(spec, tmp_path, scale=(64, 48))
    for cfg in made.configs.values():
        scales = [
            step.scale
            for data in read_plan(cfg).data.values()
            for step in data.dataset.pipeline
            if step.type == 'Resize'
        ]
        assert scales == [(64, 48)] * 3


def test_arms_of_a_seed_see_the_same_images_in_the_same_order(spec, tmp_path):
    made = plan(spec, tmp_path)
    seen: dict = {}
    for job in made.jobs:
        cfg = made.configs[job.train_config]
        file = read_plan(cfg).data['train'].split.ann_file
        seen.setdefault((job.seed, job.fraction), set()).add((cfg.randomness.seed, file))
    assert all(len(values) == 1 for values in seen.values())
    # mmengine adds the epoch: neighboring seeds would have the same orders, one epoch apart.
    seeds = sorted({seed for values in seen.values() for seed, _ in values})
    assert seeds[1] - seeds[0] > 1000


def test_written_runs_read_back_as_planned(spec, tmp_path):
    made = plan(spec, tmp_path)
    write_plan(made)
    for path, cfg in made.configs.items():
        assert Config.fromfile(path).to_dict() == cfg.to_dict()
    for job in made.jobs:
        split = read_plan(Config.fromfile(job.train_config)).data['train'].split
        assert len(json.loads(split.ann_file.read_text())['images']) == job.images


@pytest.mark.parametrize(
    'change',
    [{'epochs': 5}, {'equal': 'epochs'}, {'checkpoint': 'best'}, {'cfg_options': {'randomness.deterministic': True}}],
    ids=str,
)  # fmt: skip
def test_runs_of_another_spec_are_not_mixed_in(spec, tmp_path, change):
    write_plan(plan(spec, tmp_path))
    write_plan(plan(spec, tmp_path))
    with pytest.raises(ConfigError, match='started with another spec'):
        write_plan(plan(spec, tmp_path, **change))


def test_more_seeds_may_be_added_later(spec, tmp_path):
    write_plan(plan(spec, tmp_path))
    write_plan(plan(spec, tmp_path, seeds=(0, 1, 2)))


def errors(made):
    return [f'{arm}: {f.text}' for arm, f in check_arms(made) if f.level == 'error']


def test_arms_that_can_run_pass(spec, tmp_path):
    assert errors(plan(spec, tmp_path)) == []


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'model.backbone.init_cfg.checkpoint': 'gone.pth'}, 'gentle: no checkpoint at gone.pth'),
        ({'model.backbone.depth': 34}, 'gentle: .*holds ResNet-18'),
    ],
)
def test_errors_name_the_arm(spec, tmp_path, options, message):
    arms = (spec.arms[0], dataclasses.replace(spec.arms[1], cfg_options=options))
    found = '\n'.join(errors(plan(spec, tmp_path, arms=arms)))
    assert re.search(message, found)


def test_arms_that_train_on_different_images_are_refused(spec, tmp_path, toy_copy):
    own = {'train_dataloader.dataset.data_root': f'{toy_copy}/'}
    arms = (spec.arms[0], dataclasses.replace(spec.arms[1], cfg_options=own))
    found = errors(plan(spec, tmp_path, arms=arms, data_root=None))
    assert any('train on different images' in text for text in found)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'arms': (Arm('bad', 'none.py'),)}, 'arm bad: no config at none.py'),
        ({'cfg_options': {'lr': 1}}, 'arm short: --cfg-options lr=... has no effect'),
    ],
)
def test_arms_that_cannot_be_read_are_named(spec, tmp_path, change, message):
    with pytest.raises(ConfigError, match=message):
        plan(spec, tmp_path, **change)


def test_test_sets_need_different_names(spec, tmp_path):
    with pytest.raises(ConfigError, match='two test sets are called val'):
        plan(spec, tmp_path, tests=spec.tests * 2)
