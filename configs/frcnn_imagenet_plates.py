# Faster R-CNN on a frozen ResNet-50 pretrained on ImageNet.
#
#   python tools/train.py configs/frcnn_imagenet_plates.py
_base_ = ['_base_/frcnn.py', '_base_/backbones/imagenet_resnet50.py']

model = dict(
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_delete_=True, **_base_.backbone),
)
