# RetinaNet fine-tuned from MMDetection's COCO checkpoint: backbone, neck and heads.
#
#   python tools/train.py configs/retinanet_coco_finetuned_plates.py
_base_ = ['retinanet_coco_plates.py', '_base_/finetune.py']

model = dict(
    backbone=dict(frozen=False, init_cfg=None),
    init_cfg=dict(
        type='DetectorCheckpoint',
        checkpoint=_base_.checkpoint,
        source=_base_.source,
        classes=_base_.classes,  # classification layers are kept if COCO has all classes
    ),
)
optim_wrapper = dict(optimizer=dict(lr=1e-4), **_base_.slow_backbone)  # the heads are trained
