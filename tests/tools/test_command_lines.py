"""The commands that users type, from end to end on tiny data."""

import json
import re

import pytest
import torch

from mmdet_cleargrasp.checkpoints import read_checkpoint
from mmdet_cleargrasp.evaluation.report_files import check_report
from mmdet_cleargrasp.visualization.training_logs import read_run
from tests.conftest import ROOT

TRAIN, TEST = 'tools/train.py', 'tools/test.py'


@pytest.fixture(scope='module')
def finished_run(tiny_config, toy_plates, run_tool, module_folder):
    """A work dir after tools/train.py, with what it printed."""
    work_dir = module_folder / 'run'
    done = run_tool(
        TRAIN, tiny_config, '--data-root', toy_plates, '--work-dir', work_dir, '--epochs', '2'
    )
    return work_dir, done.stdout + done.stderr


def test_training_leaves_checkpoints_curves_and_says_where(finished_run, backbone_files):
    work_dir, output = finished_run
    assert (work_dir / 'epoch_2.pth').is_file()
    assert (work_dir / 'curves.png').stat().st_size > 0
    assert 'everything is in' in output
    assert f'next: python tools/test.py {work_dir}' in output
    # A block that says what the run works with, and a line for each validation.
    assert re.search(r'train data +6 images, \d+ boxes \(petri_dish', output)
    assert re.search(r'epoch 2 of 2: AP \d\.\d+  AP50', output)
    assert len(output.splitlines()) < 25, output
    log = next(work_dir.glob('*/*.log')).read_text()
    assert 'loaded 120 of 120 backbone tensors (ResNet-18)' in log
    for loss in ('loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox'):
        assert loss in log
    trained = read_checkpoint(work_dir / 'epoch_2.pth')['state_dict']
    for name, tensor in read_checkpoint(backbone_files(18))['model_state_dict'].items():
        assert torch.equal(trained[name], tensor), name


def test_testing_leaves_a_report(finished_run, run_tool):
    work_dir, _ = finished_run
    config, checkpoint = work_dir / 'tiny.py', work_dir / 'epoch_2.pth'
    done = run_tool(
        TEST, config, checkpoint, '--work-dir', work_dir, '--show-dir', 'drawn',
        '--out', work_dir / 'predictions.pkl',
    )  # fmt: skip
    report = work_dir / 'test' / 'val'
    assert f'everything is in {report}' in done.stdout
    metrics = json.loads((report / 'metrics.json').read_text())
    assert 0 <= metrics['coco']['AP'] <= metrics['coco']['AP50'] <= 1
    for figures in (metrics['coco'], metrics['answers']):
        assert set(figures['per_class']) == {'petri_dish', 'square_dish', 'multiwell_plate'}
    assert metrics['answers']['images'] == 3
    for name in ('pr_curves.png', 'f1_curve.png', 'confusion_matrix.png', 'predictions.bbox.json'):
        assert (report / name).is_file()
    assert (work_dir / 'predictions.pkl').is_file()
    assert f'in {report / "drawn"}' in done.stdout
    assert len(list(report.glob('drawn/*.jpg'))) == 3
    check_report(report)


def test_mmdetection_s_own_tools_read_the_run(finished_run, run_tool, tmp_path):
    work_dir, _ = finished_run
    run_tool(TEST, work_dir / 'tiny.py', work_dir / 'epoch_2.pth', '--work-dir', tmp_path,
             '--out', tmp_path / 'p.pkl')  # fmt: skip
    run_tool('-m', 'mmdet_cleargrasp', 'mmdet', 'confusion_matrix', work_dir / 'tiny.py', tmp_path / 'p.pkl',
             tmp_path / 'matrix')  # fmt: skip
    assert list((tmp_path / 'matrix').glob('*.png'))


def test_mistakes_in_mmdetection_s_own_tools_end_in_one_message(finished_run, run_tool, tmp_path):
    done = run_tool('-m', 'mmdet_cleargrasp', 'mmdet', 'test', finished_run[0] / 'tiny.py', 'absent.pth',
                    '--work-dir', tmp_path, check=False)  # fmt: skip
    assert done.returncode == 1
    assert 'error: no checkpoint at absent.pth' in done.stderr
    assert 'Traceback' not in done.stderr


def test_mmdetection_s_inferencer_reads_the_run(finished_run, toy_plates):
    from mmdet.apis import DetInferencer

    work_dir, _ = finished_run
    inferencer = DetInferencer(
        str(work_dir / 'tiny.py'), str(work_dir / 'epoch_2.pth'), device='cpu'
    )
    image = str(next((toy_plates / 'val').glob('*.jpg')))
    found = inferencer(image, no_save_vis=True, print_result=False)['predictions'][0]
    assert set(found) == {'labels', 'scores', 'bboxes'}


@pytest.mark.parametrize(
    'arguments',
    [
        ['plot_curve', '{run}', '--keys', 'loss', 'bbox_mAP', '--out', '{out}/a.png'],
        [
            'plot_curve',
            '{run}',
            '{run}',
            '--keys',
            'lr',
            '--legend',
            'a',
            'b',
            '--out',
            '{out}/b.png',
        ],
    ],
)
def test_curves_of_the_run(finished_run, run_tool, tmp_path, arguments):
    arguments = [a.format(run=finished_run[0], out=tmp_path) for a in arguments]
    run_tool('tools/analysis_tools/analyze_logs.py', *arguments)
    assert len(list(tmp_path.glob('*.png'))) == 1


def test_times_of_the_run(finished_run, run_tool):
    done = run_tool('tools/analysis_tools/analyze_logs.py', 'cal_train_time', finished_run[0])
    assert 'average iter time' in done.stdout


def test_resumed_run_goes_on_where_it_stopped_with_the_schedule_it_has_now(
    finished_run, run_tool, tmp_path
):
    work_dir, _ = finished_run
    run_tool(
        TRAIN, work_dir / 'tiny.py', '--work-dir', tmp_path, '--resume', work_dir / 'epoch_1.pth',
        '--epochs', '4', '--cfg-options', 'model.backbone.init_cfg.checkpoint=gone.pth',
    )  # fmt: skip
    logged = '\n'.join(path.read_text() for path in tmp_path.glob('*/*.log'))
    assert re.search(r'Epoch\(train\) +\[2\]', logged)
    assert not re.search(r'Epoch\(train\) +\[1\]', logged)
    assert (tmp_path / 'epoch_4.pth').is_file()
    _, rates = read_run(tmp_path).curve('lr')
    assert len(rates) == 3
    # The first run's cosine ended after its second epoch.
    assert rates[0] > rates[1] > rates[2] > 0


def test_feature_maps_are_kept_on_disk(tiny_config, toy_plates, run_tool, tmp_path):
    run_tool(
        TRAIN, tiny_config, '--data-root', toy_plates, '--work-dir', tmp_path / 'run',
        '--epochs', '2', '--feature-cache', tmp_path / 'maps',
    )  # fmt: skip
    assert list((tmp_path / 'maps').glob('*/*/*.npy'))
    log = next((tmp_path / 'run').glob('*/*.log')).read_text()
    assert 'feature cache: ' in log


@pytest.mark.slow
def test_two_processes_train_together(tiny_config, toy_plates, run_tool, tmp_path):
    done = run_tool(
        '-m', 'torch.distributed.run', '--nproc_per_node=2', '--standalone', TRAIN,
        tiny_config, '--launcher', 'pytorch', '--data-root', toy_plates, '--work-dir', tmp_path,
        '--auto-scale-lr', '--epochs', '1',
    )  # fmt: skip
    assert (tmp_path / 'epoch_1.pth').is_file()
    assert done.stdout.count('training is complete') == 1
    assert 'Scaling the original LR by 2.0' in next(tmp_path.glob('*/*.log')).read_text()


@pytest.mark.parametrize(
    ('arguments', 'code', 'message'),
    [
        # Many more run within this process: tests/test_bad_inputs.py. These see the real exit.
        ([TRAIN, 'absent.py'], 1, 'error: no config at absent.py'),
        ([TRAIN, '{config}', '--data-root', '{data}', '--resume', 'no.pth'], 1, 'no checkpoint at no.pth'),
        ([TEST, '{config}', 'absent.pth', '--data-root', '{data}'], 1, 'no checkpoint at absent.pth'),
        (['-m', 'mmdet_cleargrasp', 'no_such_tool'], 2, 'is not a tool of this project'),
        (['-m', 'mmdet_cleargrasp', 'mmdet', 'no_such_script'], 1, 'no script of MMDetection'),
    ],
)  # fmt: skip
def test_mistakes_end_in_one_message(
    run_tool, tiny_config, toy_plates, arguments, code, message, tmp_path
):
    arguments = [a.format(config=tiny_config, data=toy_plates) for a in arguments]
    if arguments[0] in (TRAIN, TEST) and len(arguments) > 2:
        arguments += ['--work-dir', str(tmp_path)]
    done = run_tool(*arguments, check=False)
    assert done.returncode == code
    assert message in done.stderr + done.stdout
    assert 'Traceback' not in done.stderr


def test_doctor_says_ready(run_tool, tiny_config, toy_plates):
    done = run_tool('tools/doctor.py', tiny_config, '--data-root', toy_plates)
    assert done.stdout.strip().endswith('ready to run')


def test_extract_backbone_shows_and_writes_the_plain_file(run_tool, backbone_files, tmp_path):
    tool = 'tools/model_converters/extract_backbone.py'
    done = run_tool(tool, backbone_files(18), tmp_path / 'plain.pth')
    assert 'family    ResNet-18' in done.stdout
    assert 'conv1.weight' in read_checkpoint(tmp_path / 'plain.pth')['model_state_dict']
    again = run_tool(tool, backbone_files(18), tmp_path / 'plain.pth', check=False)
    assert again.returncode == 1
    assert '--overwrite' in again.stderr


def test_generators_make_what_training_reads(run_tool, tmp_path):
    run_tool('tools/dataset_converters/draw_toy_plates.py', tmp_path / 'toy', '--train', '4',
             '--val', '2', '--size', '64')  # fmt: skip
    run_tool('tools/model_converters/random_backbone.py', tmp_path / 'toy' / 'train',
             tmp_path / 'random.pth', '--max-images', '2')  # fmt: skip
    assert (tmp_path / 'random.pth').is_file()


def test_every_command_line_has_help_with_examples(run_tool):
    tools = sorted((ROOT / 'tools').rglob('*.py'))
    assert tools
    for tool in tools:
        assert 'python tools/' in run_tool(tool, '--help').stdout, tool


def test_mmdetection_s_scripts_are_listed_and_run(run_tool, tiny_config):
    listed = run_tool('-m', 'mmdet_cleargrasp', 'mmdet', '--help').stdout
    assert 'analysis_tools/browse_dataset' in listed
    shown = run_tool('-m', 'mmdet_cleargrasp', 'mmdet', 'misc/print_config', tiny_config).stdout
    assert 'ClearGraspResNet' in shown
