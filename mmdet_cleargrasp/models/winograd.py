"""3x3 convolutions by Winograd's algorithm F(4x4, 3x3), with a quarter of the multiplications.

Tiles of 6x6 input positions are transformed, multiplied by the transformed kernels, and transformed
back to 4x4 output positions: 36 multiplications per tile, channel and kernel instead of 144. Values
equal those of a direct convolution up to rounding. The gradient of the input is another such
convolution; the gradient of the kernels is a sum of products of the same transformed tiles.

Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016,
https://arxiv.org/abs/1509.09308.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from .tracing import is_traced

#: Side of a tile in positions, of the output and of the input.
OUT, IN = 4, 6
#: Interpolation points of the algorithm, besides infinity. Their relative error is 1.5e-6; that of
#: a direct convolution is 2e-7 to 6e-7, that of the usual points 0, ±1, ±2 is 3e-6.
POINTS = (0.0, math.sqrt(0.5), -math.sqrt(0.5), math.sqrt(2), -math.sqrt(2))
#: Number of tiles transformed at a time, which bounds the memory of the copies.
TILES = 1024
#: With fewer positions (images x height x width) or channels a direct convolution is as fast.
MIN_POSITIONS, MIN_CHANNELS = 2048, 256
#: The same for kernels that are transformed once, which pays with fewer. Those of more than
#: ``MAX_FIXED_CHANNELS`` channels take longer to read than to multiply.
MIN_FIXED_POSITIONS, MIN_FIXED_CHANNELS, MAX_FIXED_CHANNELS = 1024, 128, 256


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """3x3 convolution with stride 1 and padding 1, by Winograd's algorithm if that is faster.

    Args:
        x: Input, (N, C, H, W); channels-last memory is fastest.
        weight: Kernels, (K, C, 3, 3).
        bias: Bias, (K,), or ``None``.

    Returns:
        The output of ``F.conv2d(x, weight, bias, padding=1)``, (N, K, H, W), equal up to rounding.

    Example:
        >>> x, weight = torch.rand(1, 256, 48, 48), torch.rand(256, 256, 3, 3)
        >>> expected = F.conv2d(x, weight, padding=1)
        >>> torch.allclose(convolve(x, weight, None), expected, rtol=1e-4)
        True
    """
    if not is_faster(x, weight):
        return F.conv2d(x, weight, bias, padding=1)
    return _Convolution.apply(x, weight, bias)


def is_faster(x: Tensor, weight: Tensor, fixed: bool = False) -> bool:
    """Whether Winograd's algorithm is faster: for large float32 maps on an x86-64 CPU.

    Args:
        x: Input, (N, C, H, W).
        weight: Kernels, (K, C, 3, 3).
        fixed: The kernels are transformed once, for :func:`convolve_fixed`.

    Returns:
        ``False`` also under autocast and while PyTorch traces, compiles or exports.
    """
    positions = x.shape[0] * x.shape[2] * x.shape[3]
    fewest, most = min(weight.shape[:2]), max(weight.shape[:2])
    if fixed:
        large = positions >= MIN_FIXED_POSITIONS and fewest >= MIN_FIXED_CHANNELS
        suitable = large and most <= MAX_FIXED_CHANNELS
    else:
        suitable = positions >= MIN_POSITIONS and fewest >= MIN_CHANNELS
    return (
        suitable
        and not is_traced()
        and x.device.type == 'cpu'
        and x.dtype == weight.dtype == torch.float32
        and not torch.is_autocast_enabled('cpu')
        and has_onednn()
    )


def transform_kernels(weight: Tensor) -> Tensor:
    """Transform kernels for :func:`convolve_fixed`.

    Args:
        weight: Kernels, (K, C, 3, 3).

    Returns:
        Transformed kernels, (36 * K, C, 1, 1): four times as large.
    """
    flat = weight.permute(2, 3, 0, 1).reshape(9, -1)
    return (_KERNEL @ flat).view(-1, weight.shape[1], 1, 1)


def convolve_fixed(x: Tensor, kernels: Tensor, bias: Tensor | None) -> Tensor:
    """As :func:`convolve`, with kernels that were transformed before, and without gradients.

    Args:
        x: Input, (N, C, H, W); channels-last memory is fastest.
        kernels: From :func:`transform_kernels`.
        bias: Bias, (K,), or ``None``.

    Returns:
        The output of ``F.conv2d(x, weight, bias, padding=1)``, (N, K, H, W), equal up to rounding.

    Example:
        >>> x, weight = torch.rand(1, 8, 16, 16), torch.rand(4, 8, 3, 3)
        >>> found = convolve_fixed(x, transform_kernels(weight), None)
        >>> torch.allclose(found, F.conv2d(x, weight, padding=1), rtol=1e-4)
        True
    """
    found = _convolve(x, kernels)
    return found if bias is None else found.add_(bias[:, None, None])


def has_onednn() -> bool:
    """Whether oneDNN's fast grouped and 1x1 convolutions are available: on x86-64 CPUs."""
    is_x86 = platform.machine().lower() in ('x86_64', 'amd64')
    return is_x86 and torch.backends.mkldnn.is_available()


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.set_materialize_grads(False)  # an output without a gradient needs no backward pass
        ctx.save_for_backward(x, weight)
        return convolve_fixed(x, transform_kernels(weight), bias)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        if grad is None:
            return None, None, None
        x, weight = ctx.saved_tensors
        for_x, for_weight, for_bias = ctx.needs_input_grad
        return (
            _input_gradient(grad, weight) if for_x else None,
            _weight_gradient(x, grad) if for_weight else None,
            grad.sum((0, 2, 3)) if for_bias else None,
        )


def _input_gradient(grad: Tensor, weight: Tensor) -> Tensor:
    return _convolve(grad, transform_kernels(weight.flip(2, 3).transpose(0, 1)))


def _convolve(x: Tensor, kernels: Tensor) -> Tensor:
    (images, _, height, width), channels = x.shape, len(kernels) // IN**2
    tiles = _tiles(x, IN)
    rows, columns = tiles.shape[1:3]
    shape = (images, channels, rows * OUT, columns * OUT)
    found = torch.empty(shape, memory_format=torch.channels_last)
    squares = found.permute(0, 2, 3, 1).view(images, rows, OUT, columns, OUT, channels)
    for part in _parts(tiles):
        products = _multiply(_transform(_INPUT, tiles[:, part]), kernels)
        outputs = (_OUTPUT @ products).view(images, -1, columns, OUT, OUT, channels)
        squares[:, part] = outputs.transpose(2, 3)
    if found.shape[2:] == x.shape[2:]:
        return found
    # A copy: autograd does not allow in-place ReLUs on a view returned by a custom function.
    return found[:, :, :height, :width].clone(memory_format=torch.channels_last)


def _weight_gradient(x: Tensor, grad: Tensor) -> Tensor:
    inputs, outputs = _tiles(x, IN), _tiles(grad, OUT)
    shape = (IN * IN, grad.shape[1], x.shape[1])
    found = x.new_zeros(shape)
    for part in _parts(inputs):
        values = _transform(_INPUT, inputs[:, part]).transpose(0, 1)
        grads = _transform(_OUTPUT.t(), outputs[:, part]).permute(1, 2, 0)
        found.baddbmm_(grads, values)
    return (_KERNEL.t() @ found.flatten(1)).view(3, 3, *shape[1:]).permute(2, 3, 0, 1)


def _tiles(x: Tensor, size: int) -> Tensor:
    """Square tiles of a padded map, ``OUT`` positions apart, (N, rows, columns, size, size, C)."""
    height, width = x.shape[2:]
    margin = (size - OUT) // 2
    padding = (0, 0, margin, margin - width % -OUT, margin, margin - height % -OUT)
    padded = F.pad(x.permute(0, 2, 3, 1), padding)
    return padded.unfold(1, size, OUT).unfold(2, size, OUT).permute(0, 1, 2, 4, 5, 3)


def _parts(tiles: Tensor) -> Iterator[slice]:
    """Slices of the rows of tiles, of about ``TILES`` tiles each."""
    images, rows, columns = tiles.shape[:3]
    step = max(1, TILES // (images * columns))
    return (slice(start, start + step) for start in range(0, rows, step))


def _transform(matrix: Tensor, tiles: Tensor) -> Tensor:
    """Transform flattened tiles, (T, positions, C)."""
    return matrix @ tiles.reshape(-1, matrix.shape[1], tiles.shape[-1])


def _multiply(values: Tensor, kernels: Tensor) -> Tensor:
    """Multiply each of the 36 positions of tiles, (T, 36, C), by its own matrix: (T, 36, K).

    Computed as a grouped 1x1 convolution, which is faster in oneDNN than batched matrix products.
    The dilation does not change the result: it has PyTorch use oneDNN on a single thread too.
    """
    groups = values.shape[1]
    pixels = values.view(1, len(values), 1, -1).permute(0, 3, 1, 2)  # channels-last
    found = F.conv2d(pixels, kernels, groups=groups, dilation=2)
    return found.permute(0, 2, 3, 1).reshape(len(values), groups, -1)


def _two_axes(matrix: Tensor) -> Tensor:
    return torch.kron(matrix, matrix).float()


def _powers(count: int) -> Tensor:
    """Vandermonde matrix of the points and infinity, (6, count); infinity takes the last power."""
    powers = torch.zeros(IN, count, dtype=torch.float64)
    points = torch.tensor(POINTS, dtype=torch.float64)
    powers[:-1] = points[:, None] ** torch.arange(count)
    powers[-1, -1] = 1
    return powers


# Transforms of flattened tiles, by the Toom-Cook construction.
_INPUT = _two_axes(_powers(IN).inverse().t())
_KERNEL = _two_axes(_powers(3))
_OUTPUT = _two_axes(_powers(OUT).t())
