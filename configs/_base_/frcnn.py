# Faster R-CNN with FPN, all but the backbone: the same for every arm of a comparison.
#
# What you may want to change stands at the top of
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
    rpn_head=dict(type='SparseGradRPNHead'),  # MMDetection's, with a cheaper backward pass
    roi_head=dict(
        # Boxes are regressed for all classes together: every plate teaches it, and a plate that
        # could be of two classes has the same box under both.
        bbox_head=dict(num_classes=_base_.num_classes, reg_class_agnostic=True)
    ),
    # Few plates an image need few proposals, and few RoIs to learn from: MMDetection has 1000
    # proposals and 512 RoIs.
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=1000, max_per_img=500), rcnn=dict(sampler=dict(num=128))
    ),
    test_cfg=dict(rpn=dict(nms_pre=500, max_per_img=300)),
)
