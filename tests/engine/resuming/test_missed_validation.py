"""A run that was stopped between an epoch's checkpoint and its validation makes up for it."""

import pytest
from mmengine.hooks import Hook

from mmdet_cleargrasp.engine.config_changes import set_epochs
from mmdet_cleargrasp.engine.config_data import use_data_root
from mmdet_cleargrasp.engine.resuming import resume
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.engine.runner import build_runner


class Counter(Hook):
    """Counts what a run does."""

    def __init__(self):
        self.steps = self.validations = 0

    def after_train_iter(self, *_, **__):
        self.steps += 1

    def after_val_epoch(self, *_, **__):
        self.validations += 1


@pytest.fixture
def run(tiny_config, toy_plates, tmp_path):
    def start(epochs):
        cfg = load_config(tiny_config, work_dir=tmp_path / 'run')
        use_data_root(cfg, toy_plates)
        set_epochs(cfg, epochs)
        cfg.experiment_name = f'{tmp_path.name}_{epochs}'
        resume(cfg, 'auto')
        runner = build_runner(cfg)
        counter = Counter()
        runner.register_hook(counter)
        runner.train()
        return counter.steps, counter.validations

    return start


def test_missed_validation_runs_on_resume(run):
    assert run(1) == (3, 1)
    assert run(1) == (0, 1)  # nothing left but a validation that may have been missed
    assert run(2) == (3, 2)
