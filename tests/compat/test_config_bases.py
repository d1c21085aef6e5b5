"""Base configs of MMDetection are read as before, without its metafiles."""

import mmengine.config.config
import mmengine.config.utils
import pytest
from mmengine.config import Config
from mmengine.utils import is_installed

import mmdet_cleargrasp  # noqa: F401


@pytest.fixture
def no_metafiles(monkeypatch):
    def read(path):
        raise AssertionError(f'{path} is read')

    monkeypatch.setattr(mmengine.config.utils, 'load', read)


def test_a_base_config_is_found_without_metafiles(no_metafiles):
    path, scope = Config._get_cfg_path('mmdet::_base_/default_runtime.py', 'config.py')
    assert path.endswith('mmdet/.mim/configs/_base_/default_runtime.py')
    assert scope == 'mmdet'
    assert Config.fromfile('configs/frcnn_cleargrasp_plates.py').default_scope == 'mmdet'


def test_a_config_of_a_model_is_found_by_its_metafile():
    name = 'faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'
    path, _ = Config._get_cfg_path(f'mmdet::{name}', 'config.py')
    assert path.endswith(name)


@pytest.mark.skipif(is_installed('mmpose'), reason='needs a package that is not installed')
def test_missing_configs_and_packages_are_errors_as_before(no_metafiles):
    with pytest.raises(FileNotFoundError):
        Config._get_cfg_path('mmdet::_base_/none.py', 'config.py')
    with pytest.raises(ModuleNotFoundError, match='mmpose is not installed'):
        Config._get_cfg_path('mmpose::_base_/none.py', 'config.py')


@pytest.mark.parametrize('package', ['mmdet', 'mmengine', 'json', 'opencv-python', 'none'])
def test_packages_are_found_as_before(package):
    assert mmengine.config.config.is_installed(package) == is_installed(package)
