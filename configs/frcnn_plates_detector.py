# The detector of plates that comes with this repository: Faster R-CNN on EfficientNet-Lite2 of
# ImageNet, pyramid from P3, strong augmentation.
#
#   python tools/train.py configs/frcnn_plates_detector.py [--data-root DIR]
_base_ = [
    '_base_/frcnn_p3.py',
    '_base_/backbones/imagenet_efficientnet_lite2.py',
    '_base_/augmentations/strong.py',
    '_base_/finetune.py',
]

# -------------------------------------- what to change --------------------------------------
scale = (384, 384)  # images are resized to fit in
batch_size = 8
lr = 4e-4  # of neck and heads; the backbone learns a tenth as fast
frozen_epochs = 1  # until the backbone learns at all
# ---------------------------------------------------------------------------------------------

model = dict(
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_delete_=True, **{**_base_.backbone, 'frozen': False}),
    neck=dict(in_channels=_base_.out_channels),
)

train_pipeline = [
    *_base_.composition,
    dict(type='Resize', scale=scale, keep_ratio=True),
    _base_.train_pipeline[3],  # flips
    *_base_.appearance,
    dict(type='PackDetInputs'),
]
test_pipeline = _base_.test_pipeline
test_pipeline[1].update(scale=scale)
train_dataloader = dict(
    batch_size=batch_size,
    dataset=dict(
        _delete_=True,
        type='MultiImageMixDataset',  # whose steps may read other images
        dataset={**_base_.train_dataloader.dataset, 'pipeline': _base_.train_pipeline[:2]},
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))

custom_hooks = [*_base_.custom_hooks, dict(type='FreezeBackboneHook', epochs=frozen_epochs)]
optim_wrapper = dict(optimizer=dict(lr=lr), **_base_.slow_backbone)
auto_scale_lr = dict(base_batch_size=batch_size)
# With several GPUs: parameters that are frozen at first get no gradient.
find_unused_parameters = True
