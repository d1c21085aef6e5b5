from pathlib import Path

import pytest

from plate_renderer.scene.spec import SpecError, parse_spec, read_spec

CONFIGS = Path(__file__).parents[3] / 'configs' / 'rendering'
BASE = {'name': 'mine', 'seed': 3, 'splits': {'train': {'images': 2}}}


@pytest.mark.parametrize('path', sorted(CONFIGS.glob('*.yaml')), ids=lambda path: path.name)
def test_included_specs_are_valid(path: Path) -> None:
    assert sum(split.images for split in read_spec(path).splits.values()) > 0


def test_the_spec_of_the_included_dataset() -> None:
    spec = read_spec(CONFIGS / 'plates.yaml')
    assert {k: v.images for k, v in spec.splits.items()} == {'train': 160, 'val': 48, 'hard': 48}
    assert (spec.image.width, spec.image.height) == (512, 384)


def test_splits_override_single_fields() -> None:
    spec = parse_spec(
        {
            **BASE,
            'camera': {'top_view': 0.9, 'roll': 1},
            'splits': {'a': {'images': 1}, 'b': {'images': 1, 'camera': {'top_view': 0.1}}},
        }
    )
    first, second = (spec.splits[name].mixture[''][1].camera for name in 'ab')
    assert first.top_view == 0.9
    assert (second.top_view, second.roll) == (0.1, 1)


def test_kinds_of_image_override_their_split() -> None:
    spec = parse_spec(
        {
            **BASE,
            'camera': {'top_view': 0.9, 'roll': 1},
            'splits': {'a': {'images': 1, 'camera': {'roll': 2}}},
            'mixture': {'bench': {}, 'scan': {'weight': 3, 'camera': {'top_view': 1.0}}},
        }
    )
    mixture = spec.splits['a'].mixture
    assert {name: weight for name, (weight, _) in mixture.items()} == {'bench': 1, 'scan': 3}
    cameras = {name: kind.camera for name, (_, kind) in mixture.items()}
    assert (cameras['bench'].top_view, cameras['bench'].roll) == (0.9, 2)
    assert (cameras['scan'].top_view, cameras['scan'].roll) == (1.0, 2)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'camra': {}}, 'has no `camra`: did you mean `camera`'),
        ({'scene': {'benches': {'stele': 1}}}, 'did you mean `steel`'),
        ({'scene': {'benches': {'steel': -1}}}, 'must not be negative'),
        ({'scene': {'benches': {'steel': 0}}}, 'one must be above 0'),
        ({'camera': {'elevation': [80, 20]}}, 'the lowest comes first'),
        ({'camera': {'elevation': 45}}, r'expected \[lowest, highest\]'),
        ({'camera': {'roll': 'much'}}, 'expected a number'),
        ({'image': {'width': 0}}, 'at least 1'),
        ({'image': {'samples': 1.5}}, 'expected a whole number'),
        ({'seed': -1}, 'expected a whole number from 0'),
        ({'ground_truth': 'some'}, 'expected one of'),
        ({'splits': {'train': {'images': 'many'}}}, 'expected a whole number'),
        ({'mixture': {'a': {'camra': {}}}}, 'mixture.a has no `camra`: did you mean `camera`'),
        ({'mixture': {'a': {'weight': 0}}}, 'one must be above 0'),
        ({'mixture': {'a': {'camera': {'roll': 'x'}}}}, 'mixture.a.camera.roll is'),
        ({'mixture': {}}, 'one must be above 0'),
        ({'plates': {'wells': {95: 1}}}, 'has no `95`'),
    ],
)
def test_invalid_values_are_reported_with_their_place(change: dict, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_spec({**BASE, **change}, 'my.yaml')


def test_missing_fields_are_reported() -> None:
    with pytest.raises(SpecError, match='has no `seed`'):
        parse_spec({'name': 'x', 'splits': {}})


def test_unreadable_files_are_reported(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match='cannot read the spec'):
        read_spec(tmp_path / 'none.yaml')
    (tmp_path / 'bad.yaml').write_text('a: [1')
    with pytest.raises(SpecError, match='not valid YAML'):
        read_spec(tmp_path / 'bad.yaml')


def test_different_specs_have_different_digests() -> None:
    assert parse_spec(BASE).digest == parse_spec(dict(BASE)).digest
    assert parse_spec(BASE).digest != parse_spec({**BASE, 'seed': 4}).digest
