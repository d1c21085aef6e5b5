"""Specs that are not YAML, not a file, or expand to too many values."""

import os

import pytest

from mmdet_cleargrasp.utils import yaml_specs
from plate_renderer.scene import yaml_values

LETTERS = 'abcdefgh'
#: 400 bytes that expand to 387 million values.
BOMB = 'a: &a [x, x, x, x, x, x, x, x, x]\n' + ''.join(
    f'{new}: &{new} [{", ".join([f"*{old}"] * 9)}]\n'
    for old, new in zip(LETTERS, LETTERS[1:], strict=False)
)


@pytest.mark.parametrize('module', [yaml_specs, yaml_values])
@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (BOMB, 'expands to more than 100,000 values'),
        ('[' * 50_000, 'is not valid YAML'),
        ('seeds: [' + '9' * 5000 + ']', 'is not valid YAML'),
        ('day: 2020-99-99', 'is not valid YAML'),
        ('!!python/object/apply:os.system ["true"]', 'is not valid YAML'),
        (b'name: N\xe4pfe', 'is not valid YAML'),
        (b'name: a\0b', 'is not valid YAML'),
        (None, 'cannot read the spec'),
    ],
)
def test_unreadable_specs_are_refused(tmp_path, module, content, message):
    path = tmp_path / 'spec.yaml'
    if content is None:
        os.mkfifo(path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(module.SpecError, match=message):
        module.read_yaml(path)


def test_anchors_are_read(tmp_path):
    path = tmp_path / 'spec.yaml'
    path.write_text('base: &base {lr: 1}\narm: {<<: *base, epochs: 2}\n')
    assert yaml_specs.read_yaml(path)['arm'] == {'lr': 1, 'epochs': 2}
