import pytest
import torch
from mmdet.models.dense_heads import RetinaHead
from mmengine.structures import InstanceData

from mmdet_cleargrasp.models.dense_heads import SparseGradRetinaHead

ARGUMENTS = dict(
    num_classes=3,
    in_channels=8,
    feat_channels=8,
    stacked_convs=2,
    anchor_generator=dict(
        type='AnchorGenerator', scales=[4], ratios=[0.5, 1.0], strides=[8, 16, 32]
    ),
    bbox_coder=dict(type='DeltaXYWHBBoxCoder'),
    loss_cls=dict(type='FocalLoss', use_sigmoid=True),
    loss_bbox=dict(type='L1Loss'),
    train_cfg=dict(
        assigner=dict(
            type='MaxIoUAssigner',
            pos_iou_thr=0.5,
            neg_iou_thr=0.4,
            min_pos_iou=0,
            ignore_iof_thr=-1,
        ),
        sampler=dict(type='PseudoSampler'),
        allowed_border=-1,
        pos_weight=-1,
        debug=False,
    ),
)


def gradients(head, boxes):
    torch.manual_seed(1)
    levels = [torch.rand(1, 8, 128 // s, 128 // s, requires_grad=True) for s in (8, 16, 32)]
    plates = InstanceData(
        bboxes=torch.tensor(boxes).view(-1, 4), labels=torch.zeros(len(boxes)).long()
    )
    meta = dict(img_shape=(128, 128), pad_shape=(128, 128))
    losses = head.loss_by_feat(*head(levels), [plates], [meta])
    sum(sum(values) for values in losses.values()).backward()
    return [level.grad for level in levels], {n: p.grad for n, p in head.named_parameters()}


@pytest.mark.parametrize(
    'boxes',
    [
        pytest.param([[10.0, 10, 40, 42]], id='on the finest level'),
        pytest.param([[14.0, 20, 36, 34]], id='on the finest level, smaller'),
        pytest.param([[10.0, 10, 66, 70], [60.0, 50, 100, 90]], id='on two finer levels'),
        pytest.param([[2.0, 2, 120, 125]], id='on the coarsest level'),
        pytest.param([[10.0, 10, 40, 42], [2.0, 2, 120, 125]], id='on both'),
        pytest.param([], id='no plate'),
    ],
)
def test_gradients_are_the_stock_head_s(boxes):
    torch.manual_seed(0)
    stock, sparse = RetinaHead(**ARGUMENTS), SparseGradRetinaHead(**ARGUMENTS)
    sparse.load_state_dict(stock.state_dict())
    (levels, parameters), (ours, our_parameters) = gradients(stock, boxes), gradients(sparse, boxes)
    for expected, found in zip(levels, ours, strict=True):
        assert torch.equal(found, expected)
    for name, expected in parameters.items():
        torch.testing.assert_close(our_parameters[name], expected, rtol=1e-6, atol=1e-7, msg=name)


@pytest.mark.parametrize(
    'passing',
    [
        pytest.param([], id='nowhere'),
        pytest.param([(0, 0, 0), (1, 15, 15), (1, 4, 9)], id='corners and inside'),
        pytest.param([(k % 2, k % 16, k // 16) for k in range(256)], id='nearly everywhere'),
    ],
)
def test_boxes_in_prediction_are_the_stock_head_s_where_scores_pass(passing):
    torch.manual_seed(0)
    test_cfg = dict(score_thr=0.05, nms_pre=1000)
    stock, sparse = (
        kind(**ARGUMENTS, test_cfg=test_cfg) for kind in (RetinaHead, SparseGradRetinaHead)
    )
    sparse.load_state_dict(stock.state_dict())
    levels = [torch.randn(2, 8, 128 // s, 128 // s) for s in (8, 16, 32)]
    pushed = torch.zeros(2, 1, 16, 16)
    for image, row, column in passing:
        pushed[image, 0, row, column] = 10
    with torch.no_grad():
        for head in (stock, sparse):
            head.eval()
            head.retina_cls.bias.fill_(-9)
            forward = head.retina_cls.forward
            head.retina_cls.forward = lambda x, forward=forward: (
                forward(x) + (pushed if x.shape[-1] == 16 else 0)
            )
        (scores, expected), (ours, found) = stock(levels), sparse(levels)
    for level in range(3):
        assert torch.equal(ours[level], scores[level])
        passes = scores[level].sigmoid().amax(1) > 0.05
        assert level or len(passing) == int(passes.sum())
        if level or not passing:
            assert not passes.any() and not found[level].any()
        for tensors in (found[level], expected[level]):
            tensors.masked_fill_(~passes[:, None], 0)
        torch.testing.assert_close(found[level], expected[level], rtol=1e-5, atol=1e-6)


def test_all_boxes_are_regressed_where_gradients_may_be_wanted():
    torch.manual_seed(0)
    head = SparseGradRetinaHead(**ARGUMENTS, test_cfg=dict(score_thr=0.9)).eval()
    levels = [torch.randn(1, 8, 16 // k, 16 // k) for k in (1, 2, 4)]
    with torch.no_grad():
        assert not head(levels)[1][0].any()
    assert head(levels)[1][0].all()
