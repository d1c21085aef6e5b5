# Faster R-CNN fine-tuned from torchvision's COCO checkpoint: backbone, neck and heads.
#
#   python tools/train.py configs/frcnn_torchvision_coco_finetuned_plates.py
_base_ = ['frcnn_torchvision_coco_plates.py', '_base_/finetune.py']

model = dict(
    backbone=dict(frozen=False, init_cfg=None),
    # torchvision's weights were trained with these anchors and RoIAlign settings.
    rpn_head=dict(anchor_generator=dict(type='TorchvisionAnchorGenerator')),
    roi_head=dict(bbox_roi_extractor=dict(roi_layer=dict(aligned=False, sampling_ratio=2))),
    init_cfg=dict(
        type='DetectorCheckpoint',
        checkpoint=_base_.checkpoint,
        source=_base_.source,
        classes=_base_.classes,  # classification layers are kept if COCO has all classes
    ),
)
optim_wrapper = _base_.slow_backbone
