import subprocess
import sys

import pytest
import torch

from mmdet_cleargrasp.compat import gaps as compat
from mmdet_cleargrasp.utils.errors import CheckpointError


def test_importing_the_plugin_is_enough_for_mmdetection_s_inferencer():
    code = 'import mmdet_cleargrasp; from mmdet.apis import DetInferencer; print("fine")'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout.strip() == 'fine', done.stderr


@pytest.mark.skipif(
    getattr(sys.modules['mmcv._ext'], '__file__', None) is not None, reason='mmcv is compiled'
)
def test_operator_that_is_not_provided_names_itself_and_the_remedy():
    from mmcv.ops import deform_conv2d

    image = torch.rand(1, 1, 8, 8)
    with pytest.raises(NotImplementedError, match='deform_conv_forward.*compiled mmcv 2.1.0'):
        deform_conv2d(image, torch.zeros(1, 18, 6, 6), torch.rand(1, 1, 3, 3))


def test_compiled_mmcv_is_left_alone(monkeypatch):
    compiled = object()
    monkeypatch.setitem(sys.modules, 'mmcv._ext', compiled)
    monkeypatch.setattr(compat.importlib.util, 'find_spec', lambda name: object())
    compat.provide_mmcv_operators()
    assert sys.modules['mmcv._ext'] is compiled


def test_compiled_mmcv_of_another_torch_is_named(monkeypatch):
    def broken(name):
        raise ImportError('undefined symbol: _ZN3c10')

    monkeypatch.setattr(compat.importlib.util, 'find_spec', lambda name: object())
    monkeypatch.setattr(compat.importlib, 'import_module', broken)
    with pytest.raises(ImportError, match='another torch .*pip install mmcv-lite'):
        compat.provide_mmcv_operators()


@pytest.mark.parametrize('version', ['1.13.1', '2.3.1+cu121'])
def test_old_torch_is_refused_in_one_sentence(monkeypatch, version):
    monkeypatch.setattr(torch, '__version__', version)
    with pytest.raises(ImportError, match=r"pip install 'torch>=2.4'"):
        compat.refuse_impossible_versions()


def test_missing_pkg_resources_is_named(monkeypatch):
    monkeypatch.setattr(compat.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(ImportError, match="pip install 'setuptools<81'"):
        compat.refuse_impossible_versions()


def test_other_mmcv_is_refused(monkeypatch):
    import mmcv

    monkeypatch.setattr(mmcv, '__version__', '2.2.0')
    with pytest.raises(ImportError, match='mmcv-lite==2.1.0'):
        compat.refuse_impossible_versions()


def test_mmengine_reads_local_files_with_our_reader(tmp_path):
    from mmengine.runner import CheckpointLoader

    (tmp_path / 'broken.pth').write_bytes(b'no checkpoint')
    with pytest.raises(CheckpointError, match='broken.pth'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'broken.pth'))


def test_base_configs_are_found_without_reading_metafiles(monkeypatch):
    from mmengine.config import Config, utils

    monkeypatch.setattr(utils, '_get_cfg_metainfo', lambda *args: pytest.fail('read metafiles'))
    text = "_base_ = 'mmdet::_base_/models/retinanet_r50_fpn.py'"
    assert Config.fromstring(text, '.py').model.type == 'RetinaNet'
    monkeypatch.undo()
    text = "_base_ = 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'"
    assert Config.fromstring(text, '.py').train_cfg.max_epochs == 12
