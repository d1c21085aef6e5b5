"""The detector that comes with the repository, and commands that use it by default."""

import json
import shutil

import pytest

from mmdet_cleargrasp.checkpoints import read_checkpoint
from mmdet_cleargrasp.cli import infer
from mmdet_cleargrasp.inference import PlateDetector, shipped
from mmdet_cleargrasp.inference.detector import take_detector
from mmdet_cleargrasp.utils.errors import CheckpointError, ConfigError
from tests.conftest import ROOT

PLATES = ROOT / 'data' / 'plates'


def test_it_is_small_and_says_what_it_is():
    _, checkpoint = shipped.shipped_detector()
    assert checkpoint.stat().st_size < 50e6
    meta = read_checkpoint(checkpoint)['meta']
    assert 'renders' in meta['note']
    assert 0 < meta['answers']['threshold'] < 1


def test_it_finds_the_plates_of_validation_renders(tmp_path):
    """Coarse on purpose: a wrong config, input or class order would find next to nothing."""
    truth = json.loads((PLATES / 'annotations' / 'val.json').read_text())
    detector = PlateDetector()
    right = total = 0
    for image in truth['images'][:8]:
        found = detector(PLATES / 'val' / image['file_name'])
        wanted = [a for a in truth['annotations'] if a['image_id'] == image['id']]
        names = {c['id']: c['name'] for c in truth['categories']}
        total += len(wanted)
        for annotation in wanted:
            x, y, w, h = annotation['bbox']
            right += any(
                name == names[annotation['category_id']]
                and abs((x1 + x2) / 2 - x - w / 2) < 0.15 * w
                and abs((y1 + y2) / 2 - y - h / 2) < 0.15 * h
                for (x1, y1, x2, y2), name in zip(found.xyxy, found.data['class_name'], strict=True)
            )
    assert right > 0.5 * total


def test_infer_uses_it_where_no_run_is_named(tmp_path, capsys):
    photographs = tmp_path / 'photographs'
    photographs.mkdir()
    shutil.copy(PLATES / 'val' / '000000.jpg', photographs)
    assert infer.main([str(photographs), '--out', str(tmp_path / 'out')]) == 0
    assert 'working threshold' in capsys.readouterr().out
    assert len(json.loads((tmp_path / 'out' / 'detections.json').read_text())['images']) == 1


def test_what_a_command_line_names(tmp_path):
    (tmp_path / 'photographs').mkdir()
    photographs = str(tmp_path / 'photographs')
    files, inputs = take_detector([photographs])
    assert files == shipped.shipped_detector() and inputs == [photographs]
    assert take_detector([])[0] == shipped.shipped_detector()
    with pytest.raises(ConfigError, match='a checkpoint after the config'):
        take_detector(['config.py'])
    with pytest.raises(ConfigError, match='no folder at .*run'):
        take_detector([str(tmp_path / 'run'), photographs])
    assert take_detector(['week_*/*.jpg', photographs])[1] == ['week_*/*.jpg', photographs]


def test_absent_weights_say_where_they_go(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, 'config_dir', lambda: tmp_path / 'site-packages' / 'configs')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match='from a clone of the repository'):
        shipped.shipped_detector()
