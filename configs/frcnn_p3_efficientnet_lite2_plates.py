# Faster R-CNN with a small FPN from P3 on a frozen EfficientNet-Lite2 pretrained on ImageNet, its
# features cached on disk: many short runs on a CPU (configs/experiments/).
#
#   python tools/train.py configs/frcnn_p3_efficientnet_lite2_plates.py
_base_ = ['_base_/frcnn_p3.py', '_base_/backbones/imagenet_efficientnet_lite2.py']

model = dict(
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_delete_=True, **_base_.backbone),
    neck=dict(in_channels=_base_.out_channels),
    train_cfg=dict(rcnn=dict(sampler=dict(num=64))),
)
# Flips are the only augmentation: each image has four variants.
cache = dict(type='FeatureCacheHook', folder='work_dirs/feature_cache', dtype='float32')
custom_hooks = [*_base_.custom_hooks, cache]
