# RetinaNet on a frozen ResNet-50 from torchvision's COCO detector; neck and heads are random.
#
#   python tools/train.py configs/retinanet_torchvision_coco_plates.py
_base_ = ['_base_/retinanet.py', '_base_/backbones/torchvision_coco_retinanet_resnet50.py']

model = dict(
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_delete_=True, **_base_.backbone),
)
