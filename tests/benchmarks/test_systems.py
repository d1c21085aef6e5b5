"""Systems of a benchmark group compute and train the same."""

import json
from functools import partial

import pytest
import torch

from benchmarks import __main__ as benchmark
from benchmarks import groups, running
from benchmarks.groups import GROUPS, LIMITED, ON_PHOTOGRAPHS, backbones
from benchmarks.options import WORKS
from benchmarks.samples import load_samples, write_photographs
from benchmarks.systems import ShippedSystem
from mmdet_cleargrasp.datasets.images import read_image
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


def test_cached_maps_and_computed_maps_train():
    samples = load_samples(ROOT / 'data/plates', 2, 64)
    for name, make in GROUPS['feature_cache'](64, CPU).items():
        system = make()
        for _ in range(2):  # the second step finds the maps of the first
            system.train_step(samples)
        if name == 'maps from the cache':
            assert system.model.backbone.feature_cache.hits == len(samples)
        system.close()


def test_missing_data_and_too_few_images_are_refused(toy_plates):
    with pytest.raises(DataError, match='images with plates, expected 99 or more'):
        load_samples(toy_plates, 99, 64)
    with pytest.raises(DataError, match='does not exist'):
        load_samples(toy_plates / 'nothing', 1, 64)


def test_choices_of_the_command_line_are_complete():
    assert tuple(GROUPS) == benchmark.GROUPS
    assert ON_PHOTOGRAPHS <= set(LIMITED) <= set(GROUPS) and {
        w for works in LIMITED.values() for w in works
    } <= set(WORKS)


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


def test_photographs_are_as_large_as_a_camera_s(toy_plates, tmp_path):
    image = next((toy_plates / 'val').iterdir())
    [path] = write_photographs([image], tmp_path)
    assert read_image(path).shape == (3000, 4000, 3)
    assert 1e6 < path.stat().st_size < 6e6


@pytest.mark.parametrize('has_bfloat16', [True, False])
def test_runtimes_and_precisions_that_a_device_has(monkeypatch, has_bfloat16):
    monkeypatch.setattr(groups.importlib.util, 'find_spec', lambda name: True)
    monkeypatch.setattr(groups, 'processor_has_bfloat16', lambda: has_bfloat16)
    expected = ['torch', 'torch, bfloat16', 'OpenVINO', 'OpenVINO, bfloat16']
    if not has_bfloat16:
        expected = ['torch', 'OpenVINO']
    assert list(GROUPS['shipped_detector'](512, CPU)) == expected
    assert list(GROUPS['shipped_detector'](512, torch.device('cuda'))) == [
        'torch', 'torch, bfloat16',
    ]  # fmt: skip
    assert list(GROUPS['frcnn_r50_runtimes'](512, CPU)) == [
        *expected[:0:-1], *GROUPS['frcnn_r50'](512, CPU),
    ]  # fmt: skip


def test_the_shipped_detector_refuses_a_file_that_it_cannot_use(toy_plates, tmp_path):
    system = ShippedSystem(CPU, 'torch', amp=False)
    found = next((toy_plates / 'val').iterdir())
    system.predict_files([found])
    (tmp_path / 'broken.jpg').write_bytes(found.read_bytes()[:500])
    with pytest.raises(DataError, match='broken.jpg is broken or truncated'):
        system.predict_files([found, tmp_path / 'broken.jpg'])
    with pytest.raises(NotImplementedError):
        system.train_step([])


def test_photographs_a_second_are_reported(run_here, tmp_path, monkeypatch):
    small = partial(write_photographs, size=(400, 300))
    monkeypatch.setattr(running, 'write_photographs', small)
    monkeypatch.setattr(groups.importlib.util, 'find_spec', lambda name: None)
    monkeypatch.setattr(groups, 'processor_has_bfloat16', lambda: False)
    sizes, predict_files = [], ShippedSystem.predict_files

    def predict(system, paths):
        sizes.extend(read_image(path).shape for path in paths)
        predict_files(system, paths)

    monkeypatch.setattr(ShippedSystem, 'predict_files', predict)
    status, printed = run_here(
        benchmark.main, '--groups', 'shipped_detector', '--rounds', '1', '--files', '2',
        '--works', 'predict', 'predict files', 'memory', '--threads', '1', '--out', tmp_path,
    )  # fmt: skip
    assert status == 0, printed
    assert sizes == [(300, 400, 3)] * 4  # a warm-up and a round
    [timing] = json.loads((tmp_path / 'benchmark.json').read_text())['timings']
    row = (tmp_path / 'benchmark.md').read_text().splitlines()[-1]
    assert row.startswith('| predict files | torch | ')
    assert row.endswith(f'| {2 / timing["median"]:.2f} |')


def _learning_convolutions(system):
    """Number of trained 3x3 convolutions; libraries arrange the last layers differently."""
    shapes = [tuple(p.shape) for p in system.model.parameters() if p.requires_grad]
    return sum(shape[0] == 256 and shape[2:] == (3, 3) for shape in shapes)
