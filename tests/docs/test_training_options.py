"""The lines that docs/own_data.md gives for options of training and testing are executed."""

import json
import re
import shlex
from importlib.util import find_spec

import pytest
import torch

from mmdet_cleargrasp.checkpoints import read_checkpoint
from tests.conftest import ROOT

TEXT = (ROOT / 'docs' / 'own_data.md').read_text()
TABLE = TEXT[TEXT.index('More options, one line each') :].split('\n\n')[1]
LINES = re.findall(r'`((?:python tools/|custom_hooks = )[^`]+)`', TABLE)


def line(word):
    [found] = [text for text in LINES if word in text]
    return found


def options(word):
    """Of a command line, without the command, CONFIG and CHECKPOINT."""
    _, tool, *rest = shlex.split(line(word))
    return tool, [option for option in rest if not option.isupper()]


@pytest.fixture(scope='module')
def trained(tiny_config, toy_plates, module_folder):
    """A work dir that was trained for an epoch, with the weights averaged."""
    from mmdet_cleargrasp.engine.prepare import RunOptions, prepare
    from mmdet_cleargrasp.engine.training import train

    config = module_folder / 'averaged.py'
    config.write_text(f'_base_ = {str(tiny_config)!r}\n{line("EMAHook")}\n')
    settings = RunOptions(work_dir=module_folder, data_root=toy_plates, epochs=1)
    train(prepare(config, settings))
    return module_folder


def test_average_of_the_weights(trained):
    checkpoint = read_checkpoint(trained / 'epoch_1.pth')
    averaged = checkpoint['state_dict']
    last = {
        name.removeprefix('module.'): tensor
        for name, tensor in checkpoint['ema_state_dict'].items()
        if name.startswith('module.')
    }
    assert averaged.keys() == last.keys()
    assert not torch.equal(averaged['neck.fpn_convs.0.conv.weight'],
                           last['neck.fpn_convs.0.conv.weight'])  # fmt: skip


def test_pictures_of_the_run(trained):
    from PIL import Image

    for name in ('train_batch.jpg', 'val_samples.jpg'):
        width, _ = Image.open(trained / name).size
        assert width == 4 * 320
    assert trained.joinpath('train_batch.jpg').stat().st_size > 10_000


@pytest.mark.parametrize('word', ['--tta', '--runtime', 'test_cfg.rcnn.nms.type=soft_nms'])
def test_options_of_a_test(word, trained, toy_plates, run_here):
    # Not importorskip, with which OpenVINO would send usage statistics.
    if word == '--runtime' and find_spec('openvino') is None:
        pytest.skip('openvino is not installed')
    tool, given = options(word)
    out = trained / word.strip('-').replace('.', '_')
    status, output = run_here(
        tool, trained / 'averaged.py', trained / 'epoch_1.pth', '--work-dir', out, *given
    )
    assert not status, output
    source = json.loads((out / 'test/val/source.json').read_text())
    assert source['test_time_augmentation'] is (word == '--tta')
    assert source['runtime'].startswith('openvino, ' if word == '--runtime' else 'torch, float32')
    assert json.loads((out / 'test/val/predictions.bbox.json').read_text())


def test_soft_nms_of_retinanet(tiny_runs, toy_plates, run_here, tmp_path):
    tool, given = options('model.test_cfg.nms.type=soft_nms')
    run = tiny_runs('retinanet_cleargrasp_plates')
    status, output = run_here(
        tool, run / 'retinanet_cleargrasp_plates.py', run / 'epoch_1.pth',
        '--data-root', toy_plates, '--work-dir', tmp_path, *given, 'test_dataloader.num_workers=0',
        'test_dataloader.persistent_workers=False',
    )  # fmt: skip
    assert not status, output
    assert (tmp_path / 'test/val/manifest.json').is_file()


def test_early_stopping_of_a_training_that_gets_no_better(
    tiny_config, toy_plates, run_here, tmp_path, monkeypatch
):
    tool, given = options('--patience')
    given[given.index('--patience') + 1] = '1'
    status, output = run_here(
        tool, tiny_config, '--data-root', toy_plates, '--work-dir', tmp_path, '--epochs', '6',
        *given, '--cfg-options', 'optim_wrapper.optimizer.lr=0.0',
    )  # fmt: skip
    assert not status, output
    assert 'stopped early after epoch 2' in output
    assert not (tmp_path / 'epoch_3.pth').exists()


def test_batch_size(tiny_config):
    from mmdet_cleargrasp.cli.train import make_parser
    from mmdet_cleargrasp.engine.prepare import RunOptions, prepare

    _, given = options('--batch-size 4')
    args = make_parser().parse_args([str(tiny_config), *given])
    plan = prepare(tiny_config, RunOptions.from_args(args))
    assert plan.cfg.train_dataloader.batch_size == 4
