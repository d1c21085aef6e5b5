# This repository's plate detector: Faster R-CNN on a frozen EfficientNet-Lite2 pretrained on
# ImageNet, FPN from P3, strong augmentation.
#
#   python tools/train.py configs/frcnn_plates_detector.py [--data-root DIR]
_base_ = [
    '_base_/frcnn_p3.py',
    '_base_/backbones/imagenet_efficientnet_lite2.py',
    '_base_/augmentations/strong.py',
    '_base_/finetune.py',
]

# ----------------------------------------- settings -----------------------------------------
scale = (384, 384)  # maximum image size in validation and test; larger than in training
batch_size = 8
lr = 5e-4
# ---------------------------------------------------------------------------------------------

# Ignore truncated plates.
ignore_cut_plates = dict(assigner=dict(ignore_iof_thr=0.5))
model = dict(
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_delete_=True, **_base_.backbone),
    neck=dict(in_channels=_base_.out_channels),
    train_cfg=dict(
        rpn=ignore_cut_plates,
        rpn_proposal=dict(nms_pre=500, max_per_img=300),
        rcnn=dict(**ignore_cut_plates, sampler=dict(num=64)),
    ),
    test_cfg=dict(rpn=dict(nms_pre=300, max_per_img=150)),
)

train_pipeline = [
    *_base_.composition,
    _base_.train_pipeline[3],  # flips
    *_base_.appearance,
    dict(type='PackDetInputs'),
]
test_pipeline = _base_.test_pipeline
# Averages over all pixels, as RandomView does in training; bilinear interpolation leaves most out.
test_pipeline[1].update(scale=scale, interpolation='area')
train_dataloader = dict(
    batch_size=batch_size,
    dataset=dict(
        _delete_=True,
        type='MultiImageMixDataset',  # its transforms may read other images
        dataset={**_base_.train_dataloader.dataset, 'pipeline': _base_.train_pipeline[:2]},
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
# The score threshold, chosen on renders, is for photographs, which have more false positives.
val_evaluator = dict(beta=0.5)
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))

optim_wrapper = dict(optimizer=dict(lr=lr, weight_decay=0.02))
auto_scale_lr = dict(base_batch_size=batch_size)
