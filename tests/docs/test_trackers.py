import re

import pytest
from mmdet.registry import VISUALIZERS
from mmengine.registry import init_default_scope

from mmdet_cleargrasp.engine.run_config import load_config
from tests.conftest import ROOT

TEXT = (ROOT / 'docs' / 'inference.md').read_text()
LINES = re.findall(r'```python\n(visualizer = .+?)```', TEXT, re.DOTALL)


def test_every_tracker_has_its_line():
    for name in ('Tensorboard', 'Wandb', 'MLflow'):
        assert sum(f'{name}VisBackend' in line for line in LINES) == 1


@pytest.mark.parametrize('line', LINES)
def test_line_in_a_config_builds_both_backends(line, tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text(f"_base_ = '{ROOT}/configs/retinanet_cleargrasp_plates.py'\n{line}\n")
    cfg = load_config(config)
    init_default_scope('mmdet')
    named = re.findall(r"type='(\w+)'", line)
    visualizer = VISUALIZERS.build(
        {**cfg.visualizer, 'name': tmp_path.name, 'save_dir': str(tmp_path)}
    )
    assert [type(b).__name__ for b in visualizer._vis_backends.values()] == named
