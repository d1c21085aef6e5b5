# RetinaNet fine-tuned from torchvision's COCO checkpoint: backbone, neck and heads.
#
#   python tools/train.py configs/retinanet_torchvision_coco_finetuned_plates.py
_base_ = ['retinanet_torchvision_coco_plates.py', '_base_/finetune.py']

model = dict(
    backbone=dict(frozen=False, init_cfg=None),
    # torchvision's weights were trained with P6 and P7 from P5, not C5, and with these anchors.
    neck=dict(add_extra_convs='on_output', relu_before_extra_convs=True),
    bbox_head=dict(anchor_generator=dict(type='TorchvisionAnchorGenerator')),
    init_cfg=dict(
        type='DetectorCheckpoint',
        checkpoint=_base_.checkpoint,
        source=_base_.source,
        classes=_base_.classes,  # classification layers are kept if COCO has all classes
    ),
)
optim_wrapper = dict(optimizer=dict(lr=1e-4), **_base_.slow_backbone)  # the heads are trained
