"""Registered types are found in any order of imports; importing the plugin is fast."""

import subprocess
import sys

import pytest

BACKBONE = "MODELS.build(dict(type='ClearGraspResNet', depth=18, frozen=False))"


def python(code):
    return subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)


@pytest.mark.parametrize('module', ['mmdet_cleargrasp', 'mmdet_cleargrasp.cli.dispatch'])
def test_the_package_imports_no_framework(module):
    code = (
        f'import sys, {module}; '
        "heavy = {'torch', 'numpy', 'cv2', 'mmengine', 'mmcv', 'mmdet', 'rich', 'yaml'}; "
        'print(sorted(heavy & set(sys.modules)))'
    )
    assert python(code).stdout.strip() == '[]'


@pytest.mark.parametrize(
    'code',
    [
        # the plugin first
        f'import mmdet_cleargrasp; from mmdet.registry import MODELS; {BACKBONE}',
        f'import mmdet_cleargrasp, mmdet.models; from mmdet.registry import MODELS; {BACKBONE}',
        'import mmdet_cleargrasp; from mmcv.ops import nms; from mmdet.apis import DetInferencer',
        # with MMDetection's scope, from MMEngine's own registries
        "import mmdet_cleargrasp; from mmengine.registry import HOOKS, init_default_scope; "
        "init_default_scope('mmdet'); HOOKS.build(dict(type='InterruptHook'))",
        "import mmdet_cleargrasp; from mmengine.registry import MODELS; "
        "MODELS.build(dict(type='mmdet.ClearGraspResNet', depth=18, frozen=False))",
        # without a scope
        'import mmdet_cleargrasp; from mmengine.registry import WEIGHT_INITIALIZERS as W; '
        "assert 'ClearGraspCheckpoint' in W",
        "import mmdet_cleargrasp; from mmdet.registry import OPTIM_WRAPPERS as W; "
        "assert 'BFloat16OptimWrapper' in W",
        # the plugin last
        f'from mmdet.registry import MODELS; import mmdet_cleargrasp; {BACKBONE}',
        "from mmengine.registry import HOOKS; HOOKS.get('EMAHook'); import mmdet_cleargrasp; "
        f'from mmdet.registry import MODELS; {BACKBONE}',
        # a module of the plugin
        'from mmdet_cleargrasp.models.backbones import ClearGraspResNet as R; '
        "from mmdet.registry import HOOKS, MODELS; assert MODELS.get('ClearGraspResNet') is R; "
        "assert 'FreezeBackboneHook' in HOOKS",
        # a config alone
        'from mmengine import Config; from mmdet.registry import MODELS; '
        "cfg = Config.fromfile('configs/retinanet_cleargrasp_plates.py'); "
        'cfg.model.backbone.update(frozen=False, init_cfg=None); MODELS.build(cfg.model)',
    ],
)  # fmt: skip
def test_types_are_found_in_any_order_of_imports(code):
    done = python(code)
    assert not done.returncode, done.stderr


def test_find_spec_without_an_import_has_no_effect():
    done = python(
        'import mmdet_cleargrasp, importlib.util; importlib.util.find_spec("mmdet.registry"); '
        f'from mmdet.registry import MODELS; {BACKBONE}'
    )
    assert not done.returncode, done.stderr
