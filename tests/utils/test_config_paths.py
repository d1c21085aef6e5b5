import pytest
from mmengine.config import Config

from mmdet_cleargrasp import config_dir
from mmdet_cleargrasp.utils.config_paths import find_config
from mmdet_cleargrasp.utils.errors import ConfigError
from tests.conftest import ROOT

DOCUMENTED = "_base_ = str(__import__('mmdet_cleargrasp').config_path('frcnn_cleargrasp_plates'))"


def test_a_config_can_inherit_from_an_installed_package(tmp_path):
    (tmp_path / 'mine.py').write_text(f'{DOCUMENTED}\nmine = 1\n')
    cfg = Config.fromfile(tmp_path / 'mine.py')
    assert (cfg.model.type, cfg.mine) == ('FasterRCNN', 1)


def test_the_documentation_shows_this_base():
    assert DOCUMENTED in (ROOT / 'docs' / 'own_data.md').read_text()


@pytest.mark.parametrize('name', ['', '.py'])
@pytest.mark.parametrize('folder', ['', 'configs/'])
def test_configs_are_found_by_name_outside_a_checkout(tmp_path, monkeypatch, folder, name):
    monkeypatch.chdir(tmp_path)
    found = find_config(f'{folder}frcnn_cleargrasp_plates{name}')
    assert found == config_dir() / 'frcnn_cleargrasp_plates.py'


def test_a_file_takes_precedence_over_the_plugin_s_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'frcnn_cleargrasp_plates.py').touch()
    assert find_config('frcnn_cleargrasp_plates.py').resolve().parent == tmp_path.resolve()


def test_an_unknown_name_is_refused():
    with pytest.raises(ConfigError, match='no config at absent'):
        find_config('absent')
