"""Training a detector: check, run, say where everything is."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config
from mmengine.dist import master_only
from mmengine.runner import Runner, find_latest_checkpoint

from ..errors import ConfigError
from .hooks.curves_hook import CURVES_FILE
from .preflight import check_run, refuse_errors
from .runner import build_runner


def enable_amp(cfg: Config) -> None:
    """Train in mixed precision."""
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.loss_scale = 'dynamic'


def enable_auto_scale_lr(cfg: Config) -> None:
    """Scale the learning rate with the batch over all processes.

    Raises:
        ConfigError: the config does not say for which batch its learning rate is meant.
    """
    if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
        raise ConfigError(
            '--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in the config: the '
            'batch in all processes together for which its learning rate is meant'
        )
    cfg.auto_scale_lr.enable = True


def train(cfg: Config) -> None:
    """Check a run and train it.

    Args:
        cfg (Config): from :func:`.load_config`.

    Raises:
        ConfigError: the check found errors; nothing was started.
    """
    start = cfg.get('load_from') if cfg.get('resume') else None
    refuse_errors(check_run(cfg, checkpoint=start), cfg.launcher)
    runner = build_runner(cfg)
    runner.train()
    _say_where(runner)


@master_only
def _say_where(runner: Runner) -> None:
    work_dir = Path(runner.work_dir)
    best = max(work_dir.glob('best_*.pth'), key=lambda path: path.stat().st_mtime, default=None)
    config = work_dir / Path(runner.cfg.filename).name
    print(f'\ntraining is complete; everything is in {work_dir}')
    print(f'  curves           {work_dir / CURVES_FILE}')
    print(f'  best checkpoint  {best or "none: validation found nothing yet"}')
    print(f'  last checkpoint  {find_latest_checkpoint(work_dir)}')
    print(f'next: python tools/test.py {config} {best or find_latest_checkpoint(work_dir)}')
