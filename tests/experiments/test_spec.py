from pathlib import Path

import pytest
import yaml

from mmdet_cleargrasp.experiments.spec import parse_experiment
from mmdet_cleargrasp.utils.yaml_specs import SpecError
from tests.conftest import ROOT

CONFIG = str(ROOT / 'configs' / 'frcnn_cleargrasp_plates.py')
ARMS = {'cleargrasp': {'config': CONFIG}, 'random': {'config': CONFIG}}
BASE = {'name': 'mine', 'arms': ARMS}


@pytest.mark.parametrize('path', sorted((ROOT / 'configs' / 'experiments').glob('*.yaml')))
def test_the_specs_that_come_with_the_project_are_valid(path: Path, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(ROOT)
    content = yaml.safe_load(path.read_text())
    if 'data_root' in content:
        content['data_root'] = str(tmp_path)  # the user's own photographs
    assert len(parse_experiment(content).arms) >= 2


def test_missing_keys_have_defaults() -> None:
    spec = parse_experiment(BASE)
    assert spec.reference == 'cleargrasp'
    assert (spec.seeds, spec.fractions) == ((0, 1, 2), (100,))
    assert (spec.equal, spec.checkpoint, spec.keep) == ('steps', 'last', 'tested')


def test_options_are_read_as_on_the_command_line() -> None:
    options = {'a.scale': '(96, 96)', 'a.name': 'x.pth', 'a.times': 3, 'a.list': [1, 2]}
    spec = parse_experiment({**BASE, 'arms': {'one': {'config': CONFIG, 'cfg_options': options}}})
    assert spec.arms[0].cfg_options == {
        'a.scale': (96, 96), 'a.name': 'x.pth', 'a.times': 3, 'a.list': [1, 2],
    }  # fmt: skip


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'seads': [1]}, 'has no `seads`: did you mean `seeds`'),
        ({'arms': {}}, 'has no `arms`: add it'),
        ({'arms': {'a': {}}}, r'arms.a has no `config`'),
        ({'arms': {'a': {'config': 'gone.py'}}}, r'arms.a.config: no file at gone.py'),
        ({'arms': {'a': {'config': CONFIG, 'cfg_option': {}}}}, 'did you mean `cfg_options`'),
        ({'arms': {'a/b': {'config': CONFIG}}}, 'it becomes a folder'),
        ({'arms': {'a': {'config': CONFIG, 'fractions': [0]}}}, 'arms.a.fractions holds 0'),
        ({'name': '../up'}, 'it becomes a folder'),
        ({'reference': 'coco'}, "reference is 'coco', expected one of cleargrasp, random"),
        ({'seeds': 3}, 'expected a list of numbers'),
        ({'seeds': [0, 0]}, 'each value only once'),
        ({'seeds': [0.5]}, 'expected a whole number'),
        ({'seeds': [-1]}, 'expected 0 to'),
        ({'fractions': [0]}, 'expected 0.01 to 100'),
        ({'fractions': [101]}, 'expected 0.01 to 100'),
        ({'equal': 'images'}, 'expected one of steps, epochs'),
        ({'epochs': 0}, 'expected 1 or more'),
        ({'checkpoint': 'first'}, 'expected one of last, best'),
        ({'tests': []}, 'expected a list of annotations and images'),
        ({'tests': [{'annotations': CONFIG}]}, 'needs both'),
        ({'tests': [{'annotations': 'no.json', 'images': '.'}]}, 'no file at no.json'),
        ({'tests': [{'annotations': CONFIG, 'images': 'nowhere'}]}, 'no folder at nowhere'),
        ({'data_root': 'nowhere'}, 'no folder at nowhere'),
        ({'slurm': {'gpus': 1}}, 'slurm has no `gpus`'),
    ],
)
def test_mistakes_are_named_with_where_they_are(change: dict, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        parse_experiment({**BASE, **change}, 'my.yaml')
