"""Freezing works the same in every backbone."""

import pytest
import torch
from mmdet.registry import MODELS

from mmdet_cleargrasp.utils.errors import CheckpointError

BACKBONES = [
    dict(type='mmdet.ClearGraspResNet', depth=18),
    dict(type='mmdet.ClearGraspDRN', arch='D-22'),
    dict(type='mmdet.ClearGraspDRN', arch='C-26', output_stride=8, out_indices=(4,)),
    dict(type='mmdet.AlexNet'),
    dict(type='mmdet.TimmBackbone', network='tf_efficientnet_lite0'),
]


@pytest.fixture(params=BACKBONES, ids=lambda cfg: f'{cfg["type"]}-{cfg.get("arch", "")}')
def config(request):
    return request.param


@pytest.fixture
def loaded(config):
    """A frozen backbone with weights."""
    weights = MODELS.build(dict(config, frozen=False)).state_dict()
    backbone = MODELS.build(dict(config, frozen=True))
    backbone.load_state_dict(weights)
    return backbone


def norms(backbone):
    return [module for module in backbone.modules() if isinstance(module, torch.nn.BatchNorm2d)]


def test_init_weights_loads_a_checkpoint_that_training_does_not_change(config, tmp_path):
    torch.save(MODELS.build(dict(config, frozen=False)).state_dict(), tmp_path / 'file.pth')
    init_cfg = dict(type='ClearGraspCheckpoint', checkpoint=str(tmp_path / 'file.pth'))
    backbone = MODELS.build(dict(config, frozen=True, init_cfg=init_cfg))
    backbone.init_weights()
    head = torch.nn.Conv2d(backbone.out_channels[-1], 1, 1)
    model = torch.nn.ModuleList([backbone, head]).train()
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=1, momentum=0.9, weight_decay=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        head(backbone(torch.rand(2, 3, 64, 64))[-1]).square().sum().backward()
        optimizer.step()
    assert all(torch.equal(before[name], tensor) for name, tensor in backbone.state_dict().items())
    assert head.weight.grad.abs().sum() > 0


def test_no_autograd_graph(loaded):
    maps = loaded.train()(torch.rand(1, 3, 64, 64, requires_grad=True))
    assert all(m.grad_fn is None and not m.requires_grad for m in maps)
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert not any(norm.training for norm in norms(loaded))


def test_unfrozen_it_has_gradients_and_frozen_again_it_has_none(loaded):
    loaded.train().freeze(False)
    loaded(torch.rand(1, 3, 64, 64))[-1].sum().backward()
    assert next(loaded.parameters()).grad is not None
    assert not any(norm.training for norm in norms(loaded))
    loaded.freeze()
    assert not loaded(torch.rand(1, 3, 64, 64))[-1].requires_grad


def test_training_without_weights_is_refused(config):
    backbone = MODELS.build(dict(config, frozen=True))
    with pytest.raises(CheckpointError, match='random'):
        backbone.init_weights()
    with pytest.raises(CheckpointError, match='init_cfg'):
        backbone.train()(torch.rand(1, 3, 64, 64))


def test_training_with_partial_weights_is_refused(config):
    backbone = MODELS.build(dict(config, frozen=True))
    name, tensor = next(backbone.named_parameters())
    backbone.load_state_dict({name: tensor}, strict=False)
    with pytest.raises(CheckpointError, match='random'):
        backbone.train()(torch.rand(1, 3, 64, 64))


@pytest.mark.parametrize('config', BACKBONES[:2], indirect=True)
@pytest.mark.parametrize('norm_eval', [True, False])
def test_norm_eval_keeps_the_running_statistics(config, norm_eval):
    backbone = MODELS.build(dict(config, frozen=False, norm_eval=norm_eval)).train()
    before = [norm.running_mean.clone() for norm in norms(backbone)]
    backbone(torch.rand(2, 3, 64, 64))
    kept = [torch.equal(b, n.running_mean) for b, n in zip(before, norms(backbone), strict=True)]
    assert all(kept) if norm_eval else not any(kept)
