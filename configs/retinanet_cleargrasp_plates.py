# RetinaNet on a frozen ClearGrasp ResNet-50.
#
#   python tools/train.py configs/retinanet_cleargrasp_plates.py
_base_ = ['_base_/retinanet.py', '_base_/backbones/cleargrasp_resnet50.py']

model = dict(
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_delete_=True, **_base_.backbone),
)
