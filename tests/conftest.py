"""Tiny data, weights and configs that many tests share."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import mmdet_cleargrasp  # noqa: F401  registers the types
from mmdet_cleargrasp.backbones import ClearGraspResNet
from mmdet_cleargrasp.datasets.toy_plates import write_toy_plates

ROOT = Path(__file__).resolve().parents[1]

# Faster R-CNN as the plugin configures it, shrunk until a CPU trains it in seconds.
TINY_CONFIG = """
_base_ = {base!r}
model = dict(
    backbone=dict(depth=18, init_cfg=dict(checkpoint={checkpoint!r})),
    neck=dict(in_channels=[64, 128, 256, 512]),
    train_cfg=dict(rcnn=dict(sampler=dict(num=32))),
)
train_pipeline = _base_.train_pipeline
test_pipeline = _base_.test_pipeline
train_pipeline[2]['scale'] = test_pipeline[1]['scale'] = (96, 96)
train_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(pipeline=train_pipeline)
)
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
"""


@pytest.fixture(scope='session')
def toy_plates(tmp_path_factory) -> Path:
    """A drawn data set with annotations/, train/ (6 images) and val/ (3 images)."""
    return write_toy_plates(tmp_path_factory.mktemp('toy'), train=6, val=3, size=96)


@pytest.fixture
def toy_copy(tmp_path) -> Path:
    """A drawn data set that a test may spoil."""
    return write_toy_plates(tmp_path / 'plates', train=4, val=2, size=64)


@pytest.fixture
def edit_json():
    """Change a JSON file by a function of its content."""

    def edit(path: Path, change) -> None:
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return edit


@pytest.fixture(scope='session')
def backbone_files(tmp_path_factory):
    """Random backbone files in ClearGrasp's layout, by depth."""
    folder = tmp_path_factory.mktemp('backbones')

    def make(depth: int) -> Path:
        path = folder / f'resnet{depth}.pth'
        if not path.exists():
            torch.manual_seed(depth)
            state = ClearGraspResNet(depth, frozen=False).state_dict()
            torch.save({'model_state_dict': {f'backbone.{k}': v for k, v in state.items()}}, path)
        return path

    return make


@pytest.fixture(scope='session')
def tiny_config(tmp_path_factory, backbone_files) -> Path:
    """A config of a ResNet-18 Faster R-CNN at 96 pixels."""
    path = tmp_path_factory.mktemp('configs') / 'tiny.py'
    base = str(ROOT / 'configs' / 'frcnn_cleargrasp_plates.py')
    path.write_text(TINY_CONFIG.format(base=base, checkpoint=str(backbone_files(18))))
    return path


@pytest.fixture(scope='session')
def run_tool():
    """Run a command line as a user would; the result has returncode, stdout and stderr."""

    def run(*arguments, check: bool = True, cwd: Path = ROOT, timeout: int = 300):
        env = {**os.environ, 'OMP_NUM_THREADS': '1'}
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check and done.returncode:
            raise AssertionError(
                f'{arguments} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}'
            )
        return done

    return run
