"""Choose a runtime for a detector, and compare its outputs with torch's before it is used."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...utils.errors import ConfigError
from ..mixed_precision import processor_has_bfloat16
from .networks import DenseNetwork, box_network, use_networks

#: Values of ``--runtime``. ``auto`` is OpenVINO where it is installed and gives torch's outputs.
RUNTIMES = ('auto', 'openvino', 'torch')

#: Compiling takes a second or two, which this many images make up for.
WORTH_COMPILING = 50

#: Allowed difference from torch in float32, relative to an output's largest value.
TOLERANCE = {'float32': 1e-4, 'bfloat16': 0.1}

#: Heights and widths of the images that are compared: at least these, as multiples of the padding.
COMPARED_SIZES = ((64, 96), (160, 128))

Network = Callable[[Tensor], Sequence[Tensor]]


def use_runtime(model: nn.Module, runtime: str = 'auto', amp: bool = False) -> str:
    """Let a runtime compute the networks of a detector in prediction.

    Backbone, neck and dense head are computed by the runtime, and the box head of Faster R-CNN.
    Everything else stays MMDetection's, in float32. The outputs are compared with torch's on noise
    images of two sizes first.

    Args:
        model: A detector of MMDetection; changed.
        runtime: One of :data:`RUNTIMES`.
        amp: Compute the networks in bfloat16, on a GPU or a processor with instructions for it.

    Returns:
        What computes, such as ``'openvino, float32'``.

    Raises:
        ConfigError: An unknown runtime, one that is not installed, or one that cannot compute this
            detector. With ``'auto'``, torch is used instead.

    Example:
        >>> use_runtime(nn.Linear(1, 1), 'torch')  # a detector in practice
        'torch, float32'
    """
    _check_name(runtime)
    has_bfloat16 = next(model.parameters()).is_cuda or processor_has_bfloat16()
    precision = 'bfloat16' if amp and has_bfloat16 else 'float32'
    if runtime != 'torch':
        try:
            _use_openvino(model, precision)
            return f'openvino, {precision}'
        except ConfigError:
            if runtime == 'openvino':
                raise
    if precision == 'bfloat16':
        from . import torch_runtime

        _use(model, torch_runtime.compile_network, precision)
    return f'torch, {precision}'


def check_runtime(model: nn.Module, runtime: str, amp: bool, device: str) -> None:
    """Refuse a runtime that cannot compute a detector, as far as is known without weights.

    Args:
        model: A detector of MMDetection; may be on ``'meta'``.
        runtime: One of :data:`RUNTIMES`.
        amp: Compute the networks in bfloat16.
        device: That the detector will be on, such as ``'cuda:0'``.

    Raises:
        ConfigError: As :func:`use_runtime`.

    Example:
        >>> check_runtime(nn.Linear(1, 1), 'torch', amp=True, device='cpu')
        Traceback (most recent call last):
            ...
        mmdet_cleargrasp.utils.errors.ConfigError: Linear runs in torch only, in float32: use ...
    """
    _check_name(runtime)
    if runtime == 'openvino':
        _check_openvino(device)
    if runtime == 'openvino' or amp:
        DenseNetwork(model)


def _check_name(runtime: str) -> None:
    if runtime not in RUNTIMES:
        raise ConfigError(f'runtime {runtime!r}: expected one of {", ".join(RUNTIMES)}')


def _check_openvino(device: str) -> None:
    if importlib.util.find_spec('openvino') is None:
        raise ConfigError("openvino is not installed: pip install 'mmdet_cleargrasp[openvino]'")
    if device != 'cpu':
        raise ConfigError(
            f'openvino computes on the CPU, and this detector is on {device}: use --device cpu, or '
            'CUDA_VISIBLE_DEVICES=-1 for a command without this option'
        )


def _use_openvino(model: nn.Module, precision: str) -> None:
    _check_openvino(str(next(model.parameters()).device))
    from . import openvino_runtime

    _use(model, openvino_runtime.compile_network, precision)


def _use(model: Any, compile_network: Callable[..., Network], precision: str) -> None:
    dense, box_head = DenseNetwork(model), box_network(model)
    compute_dense = _compiled(dense, _images(model), compile_network, precision)
    compute_boxes = None
    if box_head is not None:
        compute_boxes = _compiled(box_head, _regions(box_head), compile_network, precision)
    use_networks(model, dense, compute_dense, compute_boxes)


@torch.no_grad()
def _compiled(
    network: nn.Module,
    examples: Sequence[Tensor],
    compile_network: Callable[..., Network],
    precision: str,
) -> Network:
    """A network in a runtime, whose outputs on the examples are torch's.

    Raises:
        ConfigError: They differ.
    """
    expected = [network(example) for example in examples]
    compiled = compile_network(network, examples[0], precision == 'bfloat16')
    for example, tensors in zip(examples, expected, strict=True):
        for ours, theirs in zip(compiled(example), tensors, strict=True):
            scale = theirs.abs().max().clamp(min=1e-6)
            difference = float((ours - theirs).abs().max() / scale)
            if not difference <= TOLERANCE[precision]:
                raise ConfigError(
                    f'the outputs of this runtime differ from torch by {difference:.1e} of the '
                    f'largest value, expected at most {TOLERANCE[precision]}: use --runtime torch'
                )
    return compiled


def _images(model: Any) -> list[Tensor]:
    """Noise, normalized and padded as the data preprocessor does."""
    step, parameter = model.data_preprocessor.pad_size_divisor, next(model.parameters())
    generator = torch.Generator().manual_seed(0)
    sides = [[-(-side // step) * step for side in size] for size in COMPARED_SIZES]
    return [torch.randn(1, 3, *size, generator=generator).to(parameter) for size in sides]


def _regions(head: Any) -> list[Tensor]:
    """Noise in the place of pooled regions, two numbers of them."""
    generator = torch.Generator().manual_seed(0)
    shape, parameter = (head.in_channels, *head.roi_feat_size), next(head.parameters())
    return [torch.randn(k, *shape, generator=generator).relu().to(parameter) for k in (8, 5)]
