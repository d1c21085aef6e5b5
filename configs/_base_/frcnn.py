# Faster R-CNN with FPN, without backbone: the same for every arm.
#
# Settings are at the top of these files:
#   checkpoint of the backbone              backbones/*.py
#   data, classes, image scale, batch size  datasets/plates.py (or --data-root DIR)
#   epochs, learning rate                   schedules/plates.py
_base_ = [
    'mmdet::_base_/models/faster-rcnn_r50_fpn.py',
    'datasets/plates.py',
    'schedules/plates.py',
    'default_runtime.py',
]

model = dict(
    neck=dict(conv_cfg=dict(type='FastConv2d')),  # the same values in less time on a CPU
    rpn_head=dict(type='SparseGradRPNHead'),  # MMDetection's, with a cheaper backward pass
    roi_head=dict(
        # Class-agnostic regression: all plates train it, and the boxes of a plate are the same for
        # all classes.
        bbox_head=dict(num_classes=_base_.num_classes, reg_class_agnostic=True)
    ),
    # Images have few plates, so few proposals and RoIs are enough (MMDetection: 1000 and 512).
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=1000, max_per_img=500), rcnn=dict(sampler=dict(num=128))
    ),
    test_cfg=dict(rpn=dict(nms_pre=500, max_per_img=300)),
)
