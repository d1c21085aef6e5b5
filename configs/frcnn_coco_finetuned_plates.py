# Faster R-CNN fine-tuned from MMDetection's on COCO: backbone, neck and heads.
#
#   python tools/train.py configs/frcnn_coco_finetuned_plates.py
_base_ = 'frcnn_coco_plates.py'

model = dict(
    backbone=dict(frozen=False, init_cfg=None),
    init_cfg=dict(
        type='DetectorCheckpoint',
        checkpoint=_base_.checkpoint,
        source=_base_.source,
        classes=_base_.classes,  # what ends in classes is kept where COCO has them all
    ),
)
# What is pretrained moves a tenth as fast as what is new.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))))
