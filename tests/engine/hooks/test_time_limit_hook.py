"""As many epochs as fit a time limit, with the learning rate schedule of a run of that length."""

import io

import pytest
from mmengine.config import Config
from mmengine.hooks import iter_timer_hook
from mmengine.runner import Runner

from mmdet_cleargrasp.engine.hooks import time_limit_hook
from mmdet_cleargrasp.engine.hooks.time_limit_hook import TimeLimitHook

from ..resuming.test_schedule import STEPS, schedule, train


@pytest.fixture
def clock(monkeypatch):
    """A clock that a step of training moves on by a second."""

    class Clock:
        now = 1000.0

        def time(self):
            return self.now

        monotonic = time

    clock = Clock()
    monkeypatch.setattr(time_limit_hook, 'time', clock)
    monkeypatch.setattr(iter_timer_hook, 'time', clock)
    return clock


@pytest.mark.parametrize(
    ('minutes', 'planned', 'epochs'),
    [
        (1.8, 12, 5),  # 20 s an epoch, 5 % of the time in reserve
        (1.8, 2, 5),
        (0.1, 4, 1),  # one epoch at least
    ],
)
def test_epochs_fit(clock, monkeypatch, tmp_path, minutes, planned, epochs):
    stream, train_iter = io.StringIO(), Runner.call_hook

    def call_hook(runner, name, **arguments):
        if name == 'before_run':
            runner.cfg = Config(  # which a runner that is built from parts lacks
                dict(
                    train_cfg=dict(max_epochs=planned), param_scheduler=schedule('cosine', planned)
                )
            )
            runner.register_hook(TimeLimitHook(minutes, stream))
        if name == 'after_train_iter':
            clock.now += 1
        train_iter(runner, name, **arguments)

    expected = train(tmp_path / 'expected', epochs, 'cosine') if epochs > 1 else None
    monkeypatch.setattr(Runner, 'call_hook', call_hook)
    rates = train(tmp_path / 'limited', planned, 'cosine')
    assert len(rates) == epochs * STEPS
    assert stream.getvalue() == f'--max-minutes {minutes:g}: {epochs} epochs\n'
    if expected:
        assert rates[STEPS:] == pytest.approx(expected[STEPS:], rel=1e-6)
