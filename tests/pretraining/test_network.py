"""Losses, training and predictions of the joint network."""

import pytest
import torch
import torch.nn.functional as F

from mmdet_cleargrasp.pretraining import ClearGraspNetwork, DistilledClearGraspNetwork
from mmdet_cleargrasp.pretraining.tasks import task_loss

BACKBONE = dict(
    type='ClearGraspResNet', depth=18, trained_stride=16, output_stride=16, out_indices=(0, 3),
    frozen=False, norm_eval=False,
)  # fmt: skip


def truth(n=2, size=64):
    torch.manual_seed(1)
    return {
        'mask': torch.randint(0, 2, (n, size, size)),
        'outlines': torch.randint(0, 3, (n, size, size)),
        'normals': F.normalize(torch.randn(n, 3, size, size), dim=1),
    }


@pytest.mark.parametrize('tasks', [{'mask': 1.0}, {'outlines': 2.0}, {'mask': 1.0, 'normals': 1.0}])
def test_losses_of_the_given_tasks(tasks):
    network = ClearGraspNetwork(BACKBONE, tasks, channels=16)
    losses = network(torch.rand(2, 3, 64, 64), mode='loss', path=['a', 'b'], **truth())
    assert set(losses) == {f'loss_{task}' for task in tasks}
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in network.parameters())


def test_weights_scale_losses():
    torch.manual_seed(0)
    network = ClearGraspNetwork(BACKBONE, {'mask': 1.0}, channels=16).eval()
    inputs = torch.rand(2, 3, 64, 64)
    single = network(inputs, mode='loss', **truth())['loss_mask']
    network.tasks['mask'] = 3.0
    assert torch.allclose(network(inputs, mode='loss', **truth())['loss_mask'], 3 * single)


def test_channels_last_does_not_change_the_output():
    torch.manual_seed(0)
    network = ClearGraspNetwork(BACKBONE, {'mask': 1.0}, channels=16).eval()
    other = ClearGraspNetwork(BACKBONE, {'mask': 1.0}, channels=16, channels_last=True).eval()
    other.load_state_dict(network.state_dict())
    inputs = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        assert torch.allclose(network(inputs)['mask'], other(inputs)['mask'], atol=1e-5)


def test_predictions_of_each_image():
    network = ClearGraspNetwork(BACKBONE, dict(mask=1, outlines=1, normals=1), channels=16).eval()
    with torch.no_grad():
        predicted = network(torch.rand(2, 3, 48, 64), mode='predict')
    assert len(predicted) == 2
    assert predicted[0]['mask'].shape == predicted[1]['outlines'].shape == (48, 64)
    assert torch.allclose(predicted[0]['normals'].norm(dim=0), torch.ones(48, 64), atol=1e-5)


@pytest.mark.parametrize('tasks', [{}, {'depth': 1.0}])
def test_unknown_or_no_tasks_are_refused(tasks):
    with pytest.raises(ValueError, match='expected weights for some of'):
        ClearGraspNetwork(BACKBONE, tasks)


def test_cosine_loss_ignores_unknown_normals():
    target = torch.zeros(1, 3, 2, 2)
    target[0, 2, 0, 0] = 1.0
    logits = torch.zeros(1, 3, 2, 2, requires_grad=True)
    with torch.no_grad():
        logits[0, 0] = 1.0  # at a right angle
    loss = task_loss('normals', logits, target)
    assert loss.item() == pytest.approx(1.0)
    loss.backward()
    assert not logits.grad[..., 1, :].any()


def test_outline_weights_raise_the_loss_of_missed_lines():
    logits = torch.zeros(1, 3, 1, 100)
    logits[:, 0] = 2.0  # all background
    target = torch.zeros(1, 1, 100, dtype=torch.int64)
    target[..., :4] = 1
    even = task_loss('outlines', logits, target)
    weighted = task_loss('outlines', logits, target, torch.tensor([1.0, 5.0, 5.0]))
    assert weighted > even


def test_distillation_loss_decreases_and_the_teacher_is_unchanged():
    torch.manual_seed(0)
    backbone = {**BACKBONE, 'out_indices': (0, 1, 2, 3)}
    teacher = dict(backbone=backbone, mean=[127] * 3, std=[128] * 3)
    network = DistilledClearGraspNetwork(
        teacher=teacher, backbone=backbone, tasks={'mask': 1.0}, channels=16,
        data_preprocessor=dict(type='ImgDataPreprocessor', mean=[0] * 3, std=[255] * 3),
    )  # fmt: skip
    network.train()
    before = {name: value.clone() for name, value in network.teacher.state_dict().items()}
    inputs, optimizer = torch.rand(4, 3, 64, 64), torch.optim.Adam(network.parameters(), 1e-3)
    losses = []
    for _ in range(12):
        loss = network(inputs, mode='loss', **truth(4))['loss_distillation']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert all(torch.equal(value, before[n]) for n, value in network.teacher.state_dict().items())


def test_teacher_and_backbone_need_the_same_number_of_maps():
    teacher = dict(backbone={**BACKBONE, 'out_indices': (3,)}, mean=[0] * 3, std=[1] * 3)
    with pytest.raises(ValueError, match='has 2 maps and its teacher 1'):
        DistilledClearGraspNetwork(teacher=teacher, backbone=BACKBONE, tasks={'mask': 1.0})
