# RetinaNet on a ResNet-34 (basic blocks) that goes on learning from ImageNet; batch norm is fixed.
#
#   python tools/train.py configs/retinanet_imagenet_r34_finetuned_plates.py
_base_ = ['_base_/retinanet.py', '_base_/backbones/imagenet_resnet34.py']

_base_.backbone.frozen = False
model = dict(
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_delete_=True, **_base_.backbone),
    neck=dict(in_channels=[64, 128, 256, 512]),
)
# What is pretrained moves a tenth as fast as what is new.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))))
