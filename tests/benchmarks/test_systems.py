"""Systems of a benchmark group compute and train the same."""

import json

import pytest
import torch

from benchmarks import __main__ as benchmark
from benchmarks.groups import GROUPS, LIMITED, backbones
from benchmarks.options import WORKS
from benchmarks.samples import load_samples
from mmdet_cleargrasp.utils.errors import DataError
from tests.conftest import ROOT

CPU = torch.device('cpu')


def test_backbones_compute_the_same_maps():
    image = torch.rand(1, 3, 96, 64)
    for calls in backbones(CPU).values():
        expected, *others = (call(image) for call in calls.values())
        for maps in others:
            for ours, theirs in zip(expected, maps, strict=True):
                step = theirs.shape[2] // ours.shape[2]
                difference = (ours - theirs[..., ::step, ::step]).abs().max() / ours.abs().max()
                assert difference < 1e-5


@pytest.mark.parametrize('group', ['frcnn_r50', 'retinanet_r50'])
def test_systems_of_a_group_train_the_same_layers(group):
    systems = [make() for make in GROUPS[group](64, CPU).values()]
    samples = load_samples(ROOT / 'data/plates', 2, 64)
    assert len({_learning_convolutions(system) for system in systems}) == 1
    for system in systems:
        before = [p.detach().clone() for p in system.model.parameters()]
        system.train_step(samples)
        changed = [
            not torch.equal(a, b) for a, b in zip(before, system.model.parameters(), strict=True)
        ]
        frozen = [not p.requires_grad for p in system.model.parameters()]
        assert any(changed)
        assert not any(was for was, fixed in zip(changed, frozen, strict=True) if fixed)
        system.predict(samples)
        system.predict_files([samples[0].path])
        system.train_epoch(samples, 2, workers=0)


def test_missing_data_and_too_few_images_are_refused(toy_plates):
    with pytest.raises(DataError, match='images with plates, expected 99 or more'):
        load_samples(toy_plates, 99, 64)
    with pytest.raises(DataError, match='does not exist'):
        load_samples(toy_plates / 'nothing', 1, 64)


def test_choices_of_the_command_line_are_complete():
    assert tuple(GROUPS) == benchmark.GROUPS
    assert set(LIMITED) <= set(GROUPS) and {w for works in LIMITED.values() for w in works} <= set(
        WORKS
    )


def test_the_command_writes_tables_json_and_a_chart(run_here, tmp_path):
    status, printed = run_here(
        benchmark.main, '--groups', 'retinanet_r50', '--works', 'train step', 'backbone',
        '--size', '64', '--rounds', '1', '--files', '2', '--threads', '1',
        '--out', tmp_path,
    )  # fmt: skip
    assert status == 0, printed
    found = json.loads((tmp_path / 'benchmark.json').read_text())
    timed = {(t['group'], t['work'], t['system']) for t in found['timings']}
    assert ('retinanet_r50', 'train step', 'torchvision') in timed
    assert found['backbones'][0]['difference'] < 1e-5
    assert 'times the first' in (tmp_path / 'benchmark.md').read_text()
    assert (tmp_path / 'benchmark.png').stat().st_size > 5000
    assert 'wrote' in printed


def _learning_convolutions(system):
    """Number of trained 3x3 convolutions; libraries arrange the last layers differently."""
    shapes = [tuple(p.shape) for p in system.model.parameters() if p.requires_grad]
    return sum(shape[0] == 256 and shape[2:] == (3, 3) for shape in shapes)
