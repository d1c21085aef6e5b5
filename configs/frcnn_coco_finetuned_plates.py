# Faster R-CNN fine-tuned from MMDetection's on COCO: backbone, neck and heads.
#
#   python tools/train.py configs/frcnn_coco_finetuned_plates.py
_base_ = ['frcnn_coco_plates.py', '_base_/finetune.py']

model = dict(
    backbone=dict(frozen=False, init_cfg=None),
    init_cfg=dict(
        type='DetectorCheckpoint',
        checkpoint=_base_.checkpoint,
        source=_base_.source,
        classes=_base_.classes,  # what ends in classes is kept where COCO has them all
    ),
)
optim_wrapper = _base_.slow_backbone
