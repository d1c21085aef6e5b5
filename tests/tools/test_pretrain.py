"""tools/pretrain.py as its user runs it, up to a detector on the backbone that it made."""

import json

import pytest
import torch

from mmdet_cleargrasp import config_dir
from mmdet_cleargrasp.checkpoints import open_backbone

from ..pretraining.conftest import samples  # noqa: F401  the data set, as a fixture

TINY = """
_base_ = {base!r}
model = dict(backbone=dict(depth=18), channels=16)
train_dataloader = dict(batch_size=4, num_workers=0, persistent_workers=False)
val_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False)
"""


@pytest.fixture
def config(tmp_path):
    from mmdet_cleargrasp import config_dir

    path = tmp_path / 'tiny.py'
    path.write_text(TINY.format(base=str(config_dir() / 'pretrain' / 'resnet50_joint.py')))
    return path


def test_pretrain_resume_and_use(run_tool, config, samples, tmp_path):  # noqa: F811
    work_dir = tmp_path / 'run'
    common = ('tools/pretrain.py', config, '--data-root', samples, '--work-dir', work_dir)
    smaller = ('--cfg-options', 'train_dataloader.dataset.pipeline.1.size=(64,64)',
               'val_dataloader.dataset.pipeline.1.size=(64,64)')  # fmt: skip
    run_tool(*common, '--epochs', '1', '--amp', *smaller)
    done = run_tool(*common, '--epochs', '2', '--resume', *smaller)
    log = max(work_dir.glob('*/*.log')).read_text()
    assert 'resumed epoch: 1' in log and 'resumed epoch' not in done.stdout
    assert f'backbone  {work_dir / "backbone.pth"}' in done.stdout
    assert (work_dir / 'curves.png').stat().st_size > 5000
    assert (work_dir / 'pictures' / 'epoch_002.png').is_file()
    scalars = sorted(work_dir.glob('*/vis_data/scalars.json'))[-1].read_text().splitlines()
    assert {'pretrain/mask_iou', 'pretrain/normals_30'} <= set(json.loads(scalars[-1]))

    file = open_backbone(work_dir / 'backbone.pth')
    assert file.family.name == 'ResNet-18' and file.epoch == 2
    assert set(file.skipped) == {'aspp', 'decoder', 'heads'}
    content = torch.load(work_dir / 'backbone.pth', weights_only=True)
    assert 'not a ClearGrasp release' in content['note']
    assert set(content['metrics']) >= {'pretrain/mask_iou', 'pretrain/outlines_f1'}


@pytest.fixture
def pretrain_tiny(run_here, samples, tmp_path):  # noqa: F811
    """Pretrain with a config of the project and a smaller model: what was written and printed."""

    def run(name, model):
        path = tmp_path / 'tiny.py'
        path.write_text(
            f'_base_ = {str(config_dir() / "pretrain" / name)!r}\n'
            f'model = dict(channels=16, backbone={model!r})\n'
            'train_dataloader = dict(batch_size=2, num_workers=0)\n'
            'val_dataloader = dict(batch_size=2, num_workers=0)\n'
        )
        status, printed = run_here('tools/pretrain.py', path, '--data-root', samples,
                                   '--work-dir', tmp_path / 'run', '--epochs', '1')  # fmt: skip
        assert status == 0, printed
        return open_backbone(tmp_path / 'run' / 'backbone.pth'), printed

    return run


def test_any_backbone_is_pretrained_for_its_detector(pretrain_tiny):
    backbone = dict(network='tf_efficientnet_lite0')
    file, printed = pretrain_tiny('efficientnet_lite2_plates_scratch.py', backbone)
    assert file.family.name == 'EfficientNet-Lite0' and file.epoch == 1
    assert 'configs/frcnn_imagenet_efficientnet_lite2_plates.py --cfg-options' in printed


def test_a_teacher_is_not_written_with_the_backbone(pretrain_tiny, run_here, samples, tmp_path):  # noqa: F811
    file, _ = pretrain_tiny('resnet50_distilled.py', dict(depth=18, init_cfg=None))
    assert file.family.name == 'ResNet-18'
    assert set(file.skipped) == {'aspp', 'decoder', 'heads'}
    run = tmp_path / 'run'
    files = (run / 'tiny.py', run / 'backbone.pth', samples / 'val' / 'rgb-imgs')
    status, printed = run_here(
        'tools/analysis_tools/draw_pretraining.py', *files, '--out', tmp_path / 'seen.png'
    )
    assert status == 0, printed


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (('--data-root', 'nowhere'), 'no folder nowhere/train'),
        (('--cfg-options', 'model.backbone.init_cfg.checkpoint=none.pth'), 'no checkpoint at none.pth'),
    ],
)  # fmt: skip
def test_mistakes_have_one_message(run_here, config, samples, tmp_path, options, message):  # noqa: F811
    start = ('tools/pretrain.py', config, '--work-dir', tmp_path / 'run', '--data-root', samples)
    status, printed = run_here(*start, *options)
    assert status == 1
    assert message in printed and 'Traceback' not in printed


def test_detector_config_is_pointed_at_train(run_here):
    status, printed = run_here('tools/pretrain.py', 'configs/frcnn_cleargrasp_plates.py')
    assert status == 1
    assert 'expected a ClearGraspNetwork' in printed
