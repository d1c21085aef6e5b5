# RetinaNet on a ResNet-18 (basic blocks) that goes on learning from ImageNet; batch norm is fixed.
#
#   python tools/train.py configs/retinanet_imagenet_r18_finetuned_plates.py
_base_ = ['_base_/retinanet.py', '_base_/backbones/imagenet_resnet18.py', '_base_/finetune.py']

_base_.backbone.frozen = False
model = dict(
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_delete_=True, **_base_.backbone),
    neck=dict(in_channels=[64, 128, 256, 512]),
)
optim_wrapper = _base_.slow_backbone
