"""Reading a config file: what cannot be used is named, options replace values."""

import pytest
from mmengine.config import Config

from mmdet_cleargrasp import config_dir, config_path
from mmdet_cleargrasp.engine.run_config import KNOBS, load_config
from mmdet_cleargrasp.utils.errors import ConfigError


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (None, 'no config at'),
        ('model = dict(', 'cannot be read: SyntaxError'),
        ('x = 1', 'has no model'),
        ("_base_ = 'absent.py'\nmodel = dict()", 'cannot be read: .*absent.py'),
        ('model = undefined_name', 'undefined_name'),
    ],
)
def test_config_that_cannot_be_used_is_named(tmp_path, text, message):
    path = tmp_path / 'config.py'
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(path)


@pytest.mark.parametrize(
    ('argument', 'in_config', 'expected'),
    [('given', 'said', 'given'), (None, 'said', 'said'), (None, None, 'work_dirs/config')],
)
def test_work_dir_is_given_said_or_named_after_the_config(tmp_path, argument, in_config, expected):
    (tmp_path / 'config.py').write_text(f'model = dict()\nwork_dir = {in_config!r}')
    assert load_config(tmp_path / 'config.py', argument).work_dir == expected


def test_options_replace_values():
    cfg = load_config(
        config_path('frcnn_cleargrasp_plates'), cfg_options={'train_dataloader.batch_size': 7}
    )
    assert cfg.train_dataloader.batch_size == 7


@pytest.mark.parametrize('name', sorted(KNOBS))
def test_options_that_come_too_late_name_what_to_set(name):
    configs = (Config.fromfile(path) for path in sorted(config_dir().glob('*.py')))
    target = cfg = next(cfg for cfg in configs if name in cfg)
    for key in (
        KNOBS[name].split()[0].split('.') if '.' in KNOBS[name] else ['train_cfg', 'max_epochs']
    ):
        target = target[key]
    assert '--' in KNOBS[name] or target == cfg[name] or cfg[name] in target
    with pytest.raises(ConfigError, match=f'has no effect.*{KNOBS[name]}'):
        load_config(cfg.filename, cfg_options={name: 1})


def test_names_that_only_configs_use_are_dropped(tmp_path):
    (tmp_path / 'config.py').write_text(
        "scale = (64, 64)\nmodel = dict(data_preprocessor=dict(type='A'))\n"
        "data_preprocessor = dict(type='B')\nfind_unused_parameters = True\n"
    )
    cfg = load_config(tmp_path / 'config.py')
    assert set(cfg) == {'model', 'find_unused_parameters', 'launcher', 'work_dir'}


def test_options_that_set_helper_names_come_too_late(tmp_path):
    (tmp_path / 'config.py').write_text('side = 64\nmodel = dict(size=(side, side))')
    with pytest.raises(ConfigError, match='side=.* has no effect'):
        load_config(tmp_path / 'config.py', cfg_options={'side': 32})
