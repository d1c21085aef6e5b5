"""Checks that every kind of training works on a device.

Each check takes a :class:`.Setting` and an argument, returns its result as text, and raises
:class:`.CheckError` if it fails.
"""

from __future__ import annotations

import contextlib
import math
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import HOOKS, MODELS
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmdet_cleargrasp.checkpoints import read_checkpoint
from mmdet_cleargrasp.datasets.toy_plates import write_toy_plates
from mmdet_cleargrasp.engine.prepare import RunOptions, prepare
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.engine.training import train
from mmdet_cleargrasp.models.backbones.feature_cache import FeatureCache
from mmdet_cleargrasp.utils.config_paths import config_dir, config_path
from mmdet_cleargrasp.utils.errors import Terminated
from mmdet_cleargrasp.visualization.training_logs import read_run

from ..groups import GROUPS, OURS
from ..samples import load_samples
from ..systems import MMDetectionSystem
from .parity import with_random_weights
from .running import CheckError, Setting

CONFIG = 'frcnn_cleargrasp_plates'
#: Batches per epoch, and epochs, of the trainings on drawn plates.
BATCHES, EPOCHS = 4, 2
#: Allowed growth of memory in MB, and relative to the first half of the steps.
GROWTH, GROWTH_SHARE = 32, 0.05
#: Allowed difference of a resumed run's weights from an uninterrupted run's, relative to the
#: difference of two uninterrupted runs: sums on a GPU are not deterministic.
REPEATED = 10
#: Time limit of the run with torchrun, in seconds.
TIMEOUT = 300


def arm(setting: Setting, config: str) -> str:
    """Train the model of a config, with random weights, for two steps."""
    system = build(config, setting)
    samples = load_samples(setting.data_root, setting.batch_size, setting.size)
    trained = next(p for p in system.model.parameters() if p.requires_grad)
    before = trained.detach().clone()
    losses = [_step(system, samples) for _ in range(2)]
    if torch.equal(before, trained):
        raise CheckError('the weights did not change')
    return f'loss {losses[0]:.3f}, {losses[1]:.3f}'


def amp(setting: Setting, _: str = '') -> str:
    """Train in mixed precision, and validate."""
    losses = _losses(_train(setting, 'amp', amp=True))
    wrapper = load_config(setting.folder / 'amp' / f'{CONFIG}.py').optim_wrapper.type
    return f'{wrapper}, loss {losses[0]:.3f} to {losses[-1]:.3f} in {len(losses)} steps'


def feature_cache(setting: Setting, _: str = '') -> str:
    """Compare the cached maps of a frozen backbone with the computed ones."""
    backbone: Any = build(CONFIG, setting).model.backbone.eval()
    images = torch.rand(2, 3, setting.size, setting.size, device=setting.device)
    expected = backbone(images)
    cache = backbone.feature_cache = FeatureCache(backbone, setting.folder / 'maps')
    computed, read = backbone(images), backbone(images)
    if not all(torch.equal(a, b) for a, b in zip(computed, read, strict=True)):
        raise CheckError('cached maps differ from computed maps')
    # A GPU may select another convolution algorithm.
    if not all(torch.allclose(a, b, atol=1e-3) for a, b in zip(expected, computed, strict=True)):
        raise CheckError('maps differ from those without the cache')
    if (cache.hits, cache.misses) != (2, 2):
        raise CheckError(f'{cache.hits} images found and {cache.misses} computed, expected 2 and 2')
    return 'maps from disk are equal'


def resuming(setting: Setting, _: str = '') -> str:
    """Stop a run within an epoch, resume it, and compare with an uninterrupted run."""
    whole = _weights(_train(setting, 'whole'))
    noise = _distance(whole, _weights(_train(setting, 'again'))) if setting.on_gpu else 0.0
    with contextlib.suppress(Terminated):
        _train(setting, 'stopped', stop_after=BATCHES + 1)
    if not (setting.folder / 'stopped' / 'interrupted.pth').is_file():
        raise CheckError('SIGTERM left no interrupted.pth')
    work_dir = _train(setting, 'stopped', resume='auto')
    steps = [entry['step'] for entry in read_run(work_dir).train]
    if steps != list(range(1, BATCHES * EPOCHS + 1)):
        raise CheckError(f'trained steps {steps}, expected 1 to {BATCHES * EPOCHS}')
    distance = _distance(whole, _weights(work_dir))
    if distance > REPEATED * noise:
        raise CheckError(
            f'weights differ by {distance:.1e}, those of two uninterrupted runs by {noise:.1e}'
        )
    if not distance:
        return 'weights are equal'
    return f'weights differ by {distance:.1e}, those of two uninterrupted runs by {noise:.1e}'


def processes(setting: Setting, _: str = '') -> str:
    """Train with torchrun in one process, with NCCL on a GPU and gloo on a CPU."""
    plan = _plan(setting, 'processes')
    tools = config_dir().parent / 'tools'
    command = [
        sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=1',
        tools / 'train.py', config_path(CONFIG), '--launcher', 'pytorch', '--verbose',
        '--work-dir', plan.work_dir, '--data-root', setting.folder / 'plates', '--epochs', 1,
        '--scale', setting.size,
        '--cfg-options', *(f'{name}={value}' for name, value in _options(setting).items()),
    ]  # fmt: skip
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=TIMEOUT
    )
    if done.returncode or 'Distributed training: True' not in done.stdout:
        raise CheckError(f'status {done.returncode}: {(done.stdout + done.stderr)[-2000:]}')
    losses = _losses(plan.work_dir)
    backend = plan.cfg.env_cfg.dist_cfg.backend if setting.on_gpu else 'gloo'
    return f'{backend}, loss {losses[0]:.3f} to {losses[-1]:.3f}'


def memory(setting: Setting, _: str = '') -> str:
    """Train and check that the memory in use between steps does not grow."""
    system = GROUPS['frcnn_r50'](setting.size, torch.device(setting.device))[OURS]()
    assert isinstance(system, MMDetectionSystem)
    samples = load_samples(setting.data_root, 2 * setting.batch_size, setting.size)
    used = []
    for step in range(setting.steps):
        first = step % (setting.batch_size + 1)
        _step(system, samples[first : first + setting.batch_size])
        used.append(_memory(setting))
    middle, end = max(used[: setting.steps // 2]), max(used[setting.steps // 2 :])
    text = f'{middle:.0f} MB, in the second half {end:.0f} MB, over {setting.steps} steps'
    if end > middle * (1 + GROWTH_SHARE) + GROWTH:
        raise CheckError(text)
    return text


def build(config: str, setting: Setting) -> MMDetectionSystem:
    """Build the model of a config with random weights, and its optimizer.

    Args:
        config: Name of a config.
        setting: Setting of the checks.
    """
    init_default_scope('mmdet')
    torch.manual_seed(0)
    cfg = load_config(config_path(config))
    cfg.model.backbone.init_cfg = None
    weights = with_random_weights(MODELS.build(cfg.model.backbone)).state_dict()
    return MMDetectionSystem(cfg, torch.device(setting.device), weights)


@HOOKS.register_module()
class StopAfterStep(Hook):
    """Send SIGTERM to the run, as Slurm does before a time limit.

    Args:
        step: Number of the training step after which it is sent, from 1.
    """

    priority = 'NORMAL'

    def __init__(self, step: int) -> None:
        self.step = step

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Send SIGTERM after the given step."""
        if runner.iter + 1 == self.step:
            signal.raise_signal(signal.SIGTERM)


def _train(setting: Setting, name: str, stop_after: int | None = None, **options: Any) -> Path:
    plan = _plan(setting, name, **options)
    if stop_after:
        plan.cfg.custom_hooks.append(dict(type='StopAfterStep', step=stop_after))
    train(plan)
    return plan.work_dir


def _plan(setting: Setting, name: str, **options: Any) -> Any:
    plates = setting.folder / 'plates'
    if not plates.is_dir():
        write_toy_plates(plates, train=BATCHES * setting.batch_size, val=4, size=setting.size)
    return prepare(
        config_path(CONFIG),
        RunOptions(
            work_dir=setting.folder / name, data_root=plates, epochs=EPOCHS,
            scale=(setting.size, setting.size), cfg_options=_options(setting), **options,
        ),
    )  # fmt: skip


def _options(setting: Setting) -> dict[str, Any]:
    workers = 2 if setting.on_gpu else 0
    return {
        # mmengine reuses a visualizer of the same name, with the log folder of the run before.
        'visualizer.name': f'visualizer_{time.monotonic_ns()}',
        'default_hooks.logger.interval': 1,
        'train_dataloader.batch_size': setting.batch_size,
        'train_dataloader.num_workers': workers,
        'val_dataloader.num_workers': workers,
        'val_dataloader.persistent_workers': workers > 0,
    }


def _step(system: MMDetectionSystem, samples: Any) -> float:
    system.model.train()
    loss = float(system.model.train_step(system.batch(samples), system.wrapper)['loss'])
    if not math.isfinite(loss):
        raise CheckError(f'loss {loss}')
    return loss


def _losses(work_dir: Path) -> list[float]:
    losses = [entry['loss'] for entry in read_run(work_dir).train]
    if not losses or not all(map(math.isfinite, losses)):
        raise CheckError(f'losses {losses}')
    return losses


def _weights(work_dir: Path) -> dict[str, torch.Tensor]:
    return read_checkpoint(work_dir / f'epoch_{EPOCHS}.pth')['state_dict']


def _distance(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """Largest difference between the tensors of two state dicts."""
    return max(float((one[name].double() - other[name].double()).abs().max()) for name in one)


def _memory(setting: Setting) -> float:
    """Memory in use on the GPU, or by the process on a CPU, in MB."""
    if setting.on_gpu:
        return torch.cuda.memory_allocated(setting.device) / 1e6
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * 4096 / 1e6
