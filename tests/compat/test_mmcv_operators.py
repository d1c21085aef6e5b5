import sys

import numpy as np
import pytest
import torch
import torchvision
from mmcv.ops import batched_nms, nms, roi_align, sigmoid_focal_loss, soft_nms

from mmdet_cleargrasp.compat import mmcv_operators
from tests.parity.load import PARITY

IS_COMPILED = getattr(sys.modules['mmcv._ext'], '__file__', None) is not None


@pytest.fixture(scope='module')
def recorded():
    return {key: torch.as_tensor(value) for key, value in np.load(PARITY / 'mmcv_ops.npz').items()}


@pytest.mark.parametrize(
    ('name', 'arguments'),
    [
        ('nms', dict(iou_threshold=0.5)),
        ('nms_thr', dict(iou_threshold=0.3, score_threshold=0.2, max_num=50)),
    ],
)
def test_nms_equals_mmcv_s(recorded, name, arguments):
    dets, keep = nms(recorded['boxes'], recorded['scores'], **arguments)
    assert torch.equal(dets, recorded[f'{name}_dets'])
    assert torch.equal(keep, recorded[f'{name}_keep'])


def test_batched_nms_equals_mmcv_s(recorded):
    dets, keep = batched_nms(
        recorded['boxes'],
        recorded['scores'],
        recorded['labels'],
        dict(type='nms', iou_threshold=0.5),
    )
    assert torch.equal(dets, recorded['batched_dets'])
    assert torch.equal(keep, recorded['batched_keep'])


@pytest.mark.parametrize('aligned', [0, 1])
@pytest.mark.parametrize('sampling_ratio', [0, 2])
def test_roi_align_equals_mmcv_s_forward_and_backward(recorded, aligned, sampling_ratio):
    features = recorded['feat'].clone().requires_grad_()
    output = roi_align(
        features, recorded['rois'], (7, 7), 0.125, sampling_ratio, 'avg', bool(aligned)
    )
    (output * torch.linspace(-1, 1, output.numel()).view_as(output)).sum().backward()
    name = f'roi_a{aligned}_s{sampling_ratio}'
    torch.testing.assert_close(output, recorded[name], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(features.grad, recorded[f'{name}_grad'], rtol=1e-5, atol=1e-5)


@pytest.mark.skipif(IS_COMPILED, reason='a compiled mmcv has it')
def test_max_pooling_raises_an_error(recorded):
    with pytest.raises(NotImplementedError, match="roi_align_forward.*'max'"):
        roi_align(recorded['feat'], recorded['rois'], (7, 7), 0.125, 0, 'max', True)


def test_nms_offset_counts_the_last_pixel():
    boxes = torch.tensor([[0.0, 0, 9, 9], [0, 5, 9, 14]])  # IoU 4/14 without, 5/15 with the pixel
    scores = torch.tensor([0.9, 0.8])
    assert len(nms(boxes, scores, 0.3, offset=0)[1]) == 2
    assert len(nms(boxes, scores, 0.3, offset=1)[1]) == 1


@pytest.mark.parametrize(
    ('method', 'lowered_score'),
    [('naive', None), ('linear', 0.8 * (1 - 0.5)), ('gaussian', 0.8 * np.exp(-(0.5**2) / 0.5))],
)
def test_soft_nms_lowers_the_overlapping_box(method, lowered_score):
    # The IoU of the first two is 1/2; the third overlaps neither.
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5], [50, 50, 60, 60]])
    scores = torch.tensor([0.9, 0.8, 0.7])
    dets, keep = soft_nms(boxes, scores, iou_threshold=0.3, sigma=0.5, method=method)
    found = dict(zip(keep.tolist(), dets[:, 4].tolist(), strict=True))
    assert found[0] == pytest.approx(0.9)
    assert found[2] == pytest.approx(0.7)
    assert found.get(1) == (None if lowered_score is None else pytest.approx(lowered_score))
    assert dets[:, 4].tolist() == sorted(dets[:, 4].tolist(), reverse=True)


def test_soft_nms_of_no_boxes():
    dets, keep = soft_nms(torch.zeros(0, 4), torch.zeros(0))
    assert len(dets) == len(keep) == 0


@pytest.mark.skipif(not IS_COMPILED, reason='compares with a compiled mmcv')
@pytest.mark.parametrize('method', [0, 1, 2])
@pytest.mark.parametrize('offset', [0, 1])
def test_soft_nms_equals_the_compiled_operator(recorded, method, offset):
    compiled = sys.modules['mmcv._ext']
    results = []
    for operators in (compiled, mmcv_operators):
        dets = torch.zeros(len(recorded['boxes']), 5)
        keep = operators.softnms(
            recorded['boxes'], recorded['scores'], dets, iou_threshold=0.3, sigma=0.5,
            min_score=0.05, method=method, offset=offset,
        )  # fmt: skip
        results.append((keep, dets[: len(keep)]))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.allclose(results[0][1], results[1][1], rtol=1e-5)


def focal_loss(logits, target, weight, gamma=2.0, alpha=0.25):
    """The operators of this package with their gradient, whether mmcv is compiled or not."""

    class Loss(torch.autograd.Function):
        @staticmethod
        def forward(ctx, logits):
            ctx.save_for_backward(logits)
            output = torch.zeros_like(logits)
            mmcv_operators.sigmoid_focal_loss_forward(logits, target, weight, output, gamma, alpha)
            return output

        @staticmethod
        def backward(ctx, grad):
            grad_input = torch.zeros_like(ctx.saved_tensors[0])
            mmcv_operators.sigmoid_focal_loss_backward(
                ctx.saved_tensors[0], target, weight, grad_input, gamma, alpha
            )
            return grad_input * grad

    return Loss.apply(logits)


@pytest.mark.parametrize('gamma', [0.0, 1.5, 2.0])
def test_focal_loss_equals_torchvision_s_forward_and_backward(gamma):
    torch.manual_seed(0)
    logits = (torch.randn(40, 3) * 6).double()
    target = torch.randint(0, 4, (40,))  # 3 is the background
    one_hot = torch.nn.functional.one_hot(target, 4)[:, :3].double()
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    found = focal_loss(ours, target, torch.empty(0), gamma)
    expected = torchvision.ops.sigmoid_focal_loss(theirs, one_hot, alpha=0.25, gamma=gamma)
    assert torch.allclose(found, expected)
    found.sum().backward()
    expected.sum().backward()
    assert torch.allclose(ours.grad, theirs.grad)


def test_focal_loss_gradient_matches_finite_differences():
    torch.manual_seed(0)
    target = torch.tensor([0, 2, 3, 1])
    weight = torch.tensor([0.5, 1.0, 2.0]).double()
    logits = torch.randn(4, 3).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: focal_loss(x, target, weight), logits)


@pytest.mark.parametrize('logit', [-200.0, 200.0])
def test_focal_loss_stays_finite(logit):
    logits = torch.full((2, 1), logit, requires_grad=True)
    loss = focal_loss(logits, torch.tensor([0, 1]), torch.empty(0))
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(logits.grad).all()


@pytest.mark.skipif(IS_COMPILED, reason='a compiled mmcv has it on CUDA only')
def test_mmcv_s_focal_loss_calls_the_operators():
    logits = torch.randn(5, 2, requires_grad=True)
    target = torch.randint(0, 3, (5,))
    loss = sigmoid_focal_loss(logits, target, 2.0, 0.25, None, 'mean')
    expected = focal_loss(logits.detach(), target, torch.empty(0)).sum() / 5
    assert torch.allclose(loss, expected)
    loss.backward()
    assert torch.isfinite(logits.grad).all()
