"""A backbone that is trained only after the heads' warm-up."""

from __future__ import annotations

from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ...models.backbones import FreezableBackbone
from ...utils.errors import ConfigError


@HOOKS.register_module()
class FreezeBackboneHook(Hook):
    """Freeze the backbone for the first epochs of a run, and train it afterwards.

    New heads send large gradients into a backbone, which would forget before they have learned
    anything. The backbone's config says ``frozen=False``, so that the optimizer has its
    parameters (and their ``lr_mult``) from the beginning; while it is frozen they get no gradient
    and do not change. A resumed run continues where it was.

    Args:
        epochs: Epochs for which the backbone is frozen, from 1 on.

    Raises:
        ConfigError: At the start of training, where the backbone cannot be frozen, or is frozen by
            its own config, for good.

    Example:
        >>> FreezeBackboneHook(epochs=2).epochs
        2
    """

    def __init__(self, epochs: int = 1) -> None:
        self.epochs = epochs

    def before_train(self, runner: Runner) -> None:
        """Check that the backbone can be frozen, and that its config doesn't freeze it already."""
        backbone = _backbone(runner)
        if not isinstance(backbone, FreezableBackbone):
            raise ConfigError(
                f'FreezeBackboneHook cannot freeze a {type(backbone).__name__}; it works with '
                'backbones that derive from FreezableBackbone'
            )
        if backbone.frozen and not runner.epoch:
            raise ConfigError(
                'FreezeBackboneHook would unfreeze a backbone that its config calls frozen: set '
                'model.backbone.frozen=False, or take the hook out of custom_hooks'
            )

    def before_train_epoch(self, runner: Runner) -> None:
        """Freeze or unfreeze for this epoch."""
        backbone = _backbone(runner)
        frozen = runner.epoch < self.epochs
        if frozen != backbone.frozen:
            backbone.freeze(frozen)
            runner.logger.info(
                f'epoch {runner.epoch + 1}: the backbone '
                + ('is frozen' if frozen else 'is trained from now on')
            )


def _backbone(runner: Runner) -> Any:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return getattr(model, 'backbone', None)
