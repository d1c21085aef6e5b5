# RetinaNet on a frozen ResNet-101 pretrained on ImageNet.
#
#   python tools/train.py configs/retinanet_imagenet_r101_plates.py
_base_ = ['_base_/retinanet.py', '_base_/backbones/imagenet_resnet101.py']

model = dict(
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_delete_=True, **_base_.backbone),
)
