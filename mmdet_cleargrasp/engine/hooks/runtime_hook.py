"""Testing with the runtime and the precision of prediction."""

from __future__ import annotations

from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..runtimes import use_runtime


@HOOKS.register_module()
class RuntimeHook(Hook):
    """Let a runtime compute the networks of the detector in a test, as ``infer`` does.

    After the test, the model cannot be trained any more.

    Args:
        runtime: One of :data:`.RUNTIMES`.
        amp: Compute the networks in bfloat16.

    Attributes:
        computed: What computes, such as ``'openvino, float32'``; empty before the test.

    Raises:
        ConfigError: Before the first image: the runtime cannot compute this detector.

    Example:
        >>> RuntimeHook('openvino', amp=True).computed  # until a runner starts the test
        ''
    """

    # After EMAHook, which puts the averaged weights into the model: compiled weights don't change.
    priority = 'LOWEST'

    def __init__(self, runtime: str = 'torch', amp: bool = False) -> None:
        self.runtime, self.amp = runtime, amp
        self.computed = ''

    def before_test_epoch(self, runner: Runner) -> None:
        """Compile the networks of the detector, with the weights that are tested."""
        # The loop calls eval() after this, but networks are compiled as they are now.
        self.computed = use_runtime(_detector(runner.model).eval(), self.runtime, self.amp)


def _detector(model: Any) -> Any:
    """The detector within the wrappers of distributed tests and of test-time augmentation."""
    while hasattr(model, 'module'):
        model = model.module
    return model
