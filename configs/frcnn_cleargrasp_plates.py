# Faster R-CNN with FPN on a frozen ClearGrasp ResNet-50.
#
#   python tools/train.py configs/frcnn_cleargrasp_plates.py
#
# What you may want to change stands at the top of
#   checkpoint of the backbone              _base_/backbones/cleargrasp_resnet50.py
#   data, classes, image scale, batch size  _base_/datasets/plates.py (or --data-root DIR)
#   epochs, learning rate                   _base_/schedules/plates.py
_base_ = [
    'mmdet::_base_/models/faster-rcnn_r50_fpn.py',
    '_base_/backbones/cleargrasp_resnet50.py',
    '_base_/datasets/plates.py',
    '_base_/schedules/plates.py',
    '_base_/default_runtime.py',
]

model = dict(
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_delete_=True, **_base_.backbone),
    roi_head=dict(bbox_head=dict(num_classes=_base_.num_classes)),
)
