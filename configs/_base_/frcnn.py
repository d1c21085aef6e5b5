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
    roi_head=dict(bbox_head=dict(num_classes=_base_.num_classes)),
    # Few plates an image need few RoIs to learn from: a quarter of MMDetection's 512.
    train_cfg=dict(rcnn=dict(sampler=dict(num=128))),
)
