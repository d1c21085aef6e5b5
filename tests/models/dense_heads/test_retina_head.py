import copy

import pytest
import torch
from mmdet.models.dense_heads import RetinaHead
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from mmdet_cleargrasp import config_path
from mmdet_cleargrasp.engine.run_config import load_config
from mmdet_cleargrasp.models.dense_heads import SparseGradRetinaHead, retina_head

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
SIZE = 128


def image(boxes, ignored=()):
    sample = DetDataSample(metainfo=dict(img_shape=(SIZE, SIZE), pad_shape=(SIZE, SIZE)))
    plates = torch.tensor(boxes).view(-1, 4)
    sample.gt_instances = InstanceData(bboxes=plates, labels=torch.arange(len(plates)) % 3)
    sample.ignored_instances = InstanceData(bboxes=torch.tensor(ignored).view(-1, 4))
    return sample


def train_step(head, images):
    """Losses, and gradients of all parameters and of the maps, of a training step."""
    torch.manual_seed(1)
    levels = [torch.randn(len(images), 8, SIZE // s, SIZE // s) for s in (8, 16, 32)]
    levels = [level.requires_grad_() for level in levels]
    losses = head.loss(tuple(levels), images)
    sum(sum(values) for values in losses.values()).backward()
    gradients = {name: p.grad for name, p in head.named_parameters()}
    return losses, gradients | {f'level {k}': level.grad for k, level in enumerate(levels)}


SMALL, LARGE, WHOLE = [10.0, 10, 40, 42], [50.0, 40, 110, 100], [2.0, 2, 120, 125]


@pytest.mark.parametrize(
    'images',
    [
        pytest.param([image([SMALL])], id='on the finest level'),
        pytest.param([image([[0.0, 0, 30, 30], [96.0, 97, 128, 128]])], id='at the borders'),
        pytest.param([image([LARGE])], id='on a middle level'),
        pytest.param([image([WHOLE])], id='on the coarsest level'),
        pytest.param([image([SMALL, LARGE, WHOLE])], id='on all'),
        pytest.param([image([])], id='no plate'),
        pytest.param([image([SMALL]), image([]), image([LARGE, SMALL])], id='several images'),
        pytest.param([image([SMALL], ignored=[LARGE]), image([], [WHOLE])], id='ignored boxes'),
    ],
)
@pytest.mark.parametrize(
    'options',
    [
        pytest.param({}, id='L1'),
        pytest.param(dict(reg_decoded_bbox=True, loss_bbox=dict(type='GIoULoss')), id='GIoU'),
        pytest.param(dict(norm_cfg=dict(type='GN', num_groups=2)), id='group norm'),
        pytest.param(dict(conv_cfg=dict(type='FastConv2d')), id='fast convolutions'),
    ],
)
@pytest.mark.parametrize('dense_share', [0, 1])
def test_losses_and_gradients_equal_the_stock_head(images, options, dense_share, monkeypatch):
    arguments = ARGUMENTS | options
    arguments['train_cfg'] = copy.deepcopy(ARGUMENTS['train_cfg'])
    arguments['train_cfg']['assigner']['ignore_iof_thr'] = 0.5
    monkeypatch.setattr(retina_head, 'DENSE_SHARE_IN_TRAINING', dense_share)
    torch.manual_seed(0)
    stock, sparse = RetinaHead(**arguments), SparseGradRetinaHead(**arguments)
    sparse.load_state_dict(stock.state_dict())
    (losses, gradients), (our_losses, ours) = train_step(stock, images), train_step(sparse, images)
    torch.testing.assert_close(our_losses, losses)
    for name, expected in gradients.items():
        torch.testing.assert_close(ours[name], expected, rtol=1e-4, atol=1e-6, msg=name)


def test_boxes_are_regressed_at_positive_positions_only(monkeypatch):
    seen = []
    monkeypatch.setattr(
        retina_head, 'convolve_at', lambda x, wanted, *rest: seen.append(wanted.sum().item())
    )
    train_step(SparseGradRetinaHead(**ARGUMENTS), [image([LARGE]), image([])])
    assert len(seen) == 2, 'a level without a positive anchor is skipped, except the last'
    assert 0 < seen[0] < 16 and seen[1] == 0


@pytest.mark.parametrize(
    'passing',
    [
        pytest.param([], id='none'),
        pytest.param([(0, 0, 0), (1, 15, 15), (1, 4, 9)], id='corners and inside'),
        pytest.param([(k % 2, k % 16, k // 16) for k in range(256)], id='all'),
    ],
)
def test_predicted_boxes_equal_the_stock_head_where_scores_pass(passing):
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


def test_all_boxes_are_regressed_with_autograd():
    torch.manual_seed(0)
    head = SparseGradRetinaHead(**ARGUMENTS, test_cfg=dict(score_thr=0.9)).eval()
    levels = [torch.randn(1, 8, 16 // k, 16 // k) for k in (1, 2, 4)]
    with torch.no_grad():
        assert not head(levels)[1][0].any()
    assert head(levels)[1][0].all()


@pytest.mark.parametrize('branch', ['cls_convs', 'reg_convs'])
def test_the_configs_initialize_heads_that_keep_the_scale_of_the_maps(branch):
    cfg = load_config(config_path('retinanet_random_plates'))
    torch.manual_seed(0)
    head = MODELS.build(cfg.model.bbox_head)
    head.init_weights()
    x = torch.randn(1, 256, 16, 16).relu()
    with torch.no_grad():
        for layer in getattr(head, branch):
            x = layer(x)
        scores = head.retina_cls(x).sigmoid()
    assert 0.3 < x.std() < 3  # 0.006 with RetinaNet's own initialization
    assert scores.median() == pytest.approx(0.01, abs=0.005)  # the prior, against early loss
