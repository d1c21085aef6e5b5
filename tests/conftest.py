"""Tiny data, weights and configs that many tests share."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope

import mmdet_cleargrasp  # noqa: F401  registers the types
from mmdet_cleargrasp.datasets.toy_plates import write_toy_plates
from mmdet_cleargrasp.engine.config_parts import innermost_dataset
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.models.backbones import ClearGraspResNet

ROOT = Path(__file__).resolve().parents[1]

# Background jobs of a shell ignore Ctrl-C, and nohup ignores SIGHUP; the commands under test do not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Faster R-CNN as the plugin configures it, shrunk until a CPU trains it in seconds and checkpoints
# are small: with MMDetection's widths, a ResNet-18's and AdamW's states take 250 MB each.
TINY_CONFIG = """
_base_ = {base!r}
model = dict(
    backbone=dict(depth=18, init_cfg=dict(checkpoint={checkpoint!r})),
    neck=dict(in_channels=[64, 128, 256, 512], out_channels=32),
    rpn_head=dict(in_channels=32, feat_channels=32),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=32),
        bbox_head=dict(in_channels=32, fc_out_channels=64),
    ),
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


@pytest.fixture(scope='module')
def module_folder(request, tmp_path_factory) -> Iterator[Path]:
    """A folder for a module's large files, removed after its tests."""
    folder = tmp_path_factory.mktemp(request.module.__name__.rpartition('.')[-1])
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


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


@pytest.fixture
def run_here(monkeypatch, capsys):
    """Run a command in this process, which saves its imports.

    Takes a file in ``tools/`` or a ``main(argv)``; returns the exit status and what was printed.
    """

    def run(tool, *arguments):
        monkeypatch.chdir(ROOT)
        monkeypatch.setenv('LOCAL_RANK', '0')
        main = tool
        if not callable(tool):
            monkeypatch.setattr(sys, 'argv', [tool])  # the help names it
            main = import_module(f'mmdet_cleargrasp.cli.{Path(tool).stem}').main
        status = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return status, printed.out + printed.err

    return run


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


TINY_HEADS = """
_base_ = {base!r}
model = dict(
    backbone=dict(depth=18, init_cfg=dict(checkpoint='gone.pth')),
    neck=dict(in_channels=[64, 128, 256, 512]),
)
test_pipeline = _base_.test_pipeline
test_pipeline[1]['scale'] = (96, 96)
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
"""


@pytest.fixture(scope='session')
def tiny_runs(tmp_path_factory):
    """Work dirs of detectors with random weights and without their backbone's file, by config."""
    folder = tmp_path_factory.mktemp('runs')

    def make(name: str = 'retinanet_cleargrasp_plates') -> Path:
        work_dir = folder / name
        if work_dir.exists():
            return work_dir
        work_dir.mkdir()
        config = work_dir / f'{name}.py'
        config.write_text(TINY_HEADS.format(base=str(ROOT / 'configs' / f'{name}.py')))
        cfg = load_config(config)
        cfg.dump(config)
        init_default_scope('mmdet')
        torch.manual_seed(0)
        cfg.model.backbone.update(frozen=False, init_cfg=None)
        model = MODELS.build(cfg.model)
        model.init_weights()
        with torch.no_grad():  # so that scores differ, and some are high
            for head in ('bbox_head.retina_cls', 'roi_head.bbox_head.fc_cls', 'rpn_head.rpn_cls'):
                for parameter in dict(model.named_parameters()):
                    if parameter == f'{head}.weight':
                        model.get_parameter(parameter).mul_(48 if 'retina' in head else 12)
                    if parameter == 'bbox_head.retina_cls.bias':
                        model.get_parameter(parameter).fill_(-3)
        classes = innermost_dataset(cfg.test_dataloader).metainfo.classes
        meta = {'dataset_meta': {'classes': classes}, 'epoch': 1}
        torch.save({'state_dict': model.state_dict(), 'meta': meta}, work_dir / 'epoch_1.pth')
        # As mmengine writes it; the run has been moved since.
        (work_dir / 'last_checkpoint').write_text('/elsewhere/epoch_1.pth')
        return work_dir

    return make
