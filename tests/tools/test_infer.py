import csv
import json
import shutil

import pytest

from mmdet_cleargrasp import inference
from mmdet_cleargrasp.engine import runtimes
from mmdet_cleargrasp.utils.errors import ConfigError

INFER, EXPORT = 'tools/infer.py', 'tools/export.py'


def test_folder_with_some_broken_files(tiny_runs, toy_plates, run_tool, tmp_path):
    photos = tmp_path / 'photos'
    shutil.copytree(toy_plates / 'val', photos)
    names = sorted(path.name for path in photos.iterdir())
    whole = (photos / names[0]).read_bytes()
    (photos / 'cut.jpg').write_bytes(whole[: len(whole) // 2])
    (photos / 'empty.jpg').write_bytes(b'')
    (photos / 'link.jpg').symlink_to('/etc/hostname')
    out = tmp_path / 'out'
    done = run_tool(
        INFER, tiny_runs(), photos, '--out', out, '--score-thr', '0.1', '--tile', '64', '--crops',
        '--plate-diameter', '90', '--plate-class', 'petri_dish', '--device', 'cpu', check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert f'everything is in {out}' in done.stdout
    assert 'score threshold 0.10 (as given)' in done.stdout
    assert '2 images could not be used' in done.stdout and 'empty.jpg is empty' in done.stdout
    assert 'link.jpg is a link that leads out of' in done.stdout
    assert 'Traceback' not in done.stderr
    rows = list(csv.DictReader((out / 'detections.csv').open(encoding='utf-8-sig')))
    assert {row['image'] for row in rows} <= set(names)
    assert all((out / row['crop']).is_file() for row in rows)
    coco = json.loads((out / 'detections.json').read_text())
    assert len(coco['annotations']) == len(rows) > 0
    assert sorted(path.name for path in (out / 'overlays').iterdir()) == names
    assert (out / 'overview.jpg').is_file()


def test_config_and_checkpoint_with_every_image_used(tiny_runs, toy_plates, run_tool, tmp_path):
    work_dir = tiny_runs('frcnn_cleargrasp_plates')
    image = next((toy_plates / 'val').glob('*.jpg'))
    done = run_tool(INFER, work_dir / 'frcnn_cleargrasp_plates.py', work_dir / 'epoch_1.pth', image,
                    '--out', tmp_path / 'out', '--no-overlays', '--per-class')  # fmt: skip
    assert 'in 1 images' in done.stdout
    assert 'score threshold 0.50 (default' in done.stdout
    assert sorted(p.name for p in (tmp_path / 'out').iterdir()) == [
        '.results.jsonl.lock', 'batch.json', 'detections.csv', 'detections.json', 'images.csv',
        'results.jsonl',
    ]  # fmt: skip


def test_a_rerun_keeps_an_export(tiny_runs, toy_plates, run_here, tmp_path):
    arguments = tiny_runs(), toy_plates / 'val', '--out', tmp_path / 'out', '--export', 'labelme'
    for message in ('detections for labelme', 'exists and was kept; remove it to write it again'):
        status, printed = run_here(INFER, *arguments)
        assert status == 0 and f'labelme/         {message}' in printed


@pytest.mark.parametrize(('shard', 'expected'), [('1/1', 'auto'), ('1/2', 'torch')])
def test_the_images_of_a_shard_decide_on_the_runtime(
    tiny_runs, toy_plates, run_here, tmp_path, monkeypatch, shard, expected
):
    def detector(config, checkpoint, device, per_class, runtime, amp):
        raise ConfigError(f'the runtime is {runtime}')

    monkeypatch.setattr(inference, 'PlateDetector', detector)
    monkeypatch.setattr(runtimes, 'WORTH_COMPILING', 3)
    _, printed = run_here(
        INFER, tiny_runs(), toy_plates / 'val', '--out', tmp_path / 'out', '--shard', shard,
        '--runtime', 'auto',
    )  # fmt: skip
    assert f'the runtime is {expected}' in printed


@pytest.mark.parametrize(
    ('arguments', 'status', 'message'),
    [
        (['absent', 'x.jpg'], 1, 'no folder at absent'),
        (['{run}'], 1, 'no input: expected'),
        (['{run}', 'https://example.org/x.jpg'], 1, 'is a URL, and nothing is downloaded'),
        (['{run}', '{run}'], 1, 'no image in'),
        (['{run}', 'x.jpg', '--stride', '0'], 2, 'expected 1 or more'),
    ],
)
def test_mistakes_end_in_one_message(tiny_runs, run_here, tmp_path, arguments, status, message):
    arguments = [argument.format(run=tiny_runs()) for argument in arguments]
    found, printed = run_here(INFER, *arguments, '--out', tmp_path / 'out')
    assert found == status
    assert message in printed
    assert 'Traceback' not in printed
    assert not (tmp_path / 'out').exists()


@pytest.mark.slow
def test_export_prints_the_largest_differences(tiny_runs, toy_plates, run_tool, tmp_path):
    pytest.importorskip('onnxruntime')
    work_dir = tiny_runs()
    files = work_dir / 'retinanet_cleargrasp_plates.py', work_dir / 'epoch_1.pth'
    out = tmp_path / 'plates.onnx'
    done = run_tool(EXPORT, *files, out, '--images', toy_plates / 'val')
    assert f'wrote {out}' in done.stdout
    assert 'largest' in done.stdout and done.stdout.rstrip().endswith('the same')
    again = run_tool(EXPORT, *files, out, check=False)
    assert again.returncode == 1 and 'nothing is overwritten' in again.stderr
