# Faster R-CNN on a frozen ClearGrasp ResNet-101 whose maps are computed once and kept on disk.
#
#   python tools/train.py configs/frcnn_cleargrasp_r101_cached_plates.py
_base_ = 'frcnn_cleargrasp_r101_plates.py'

# Images have to come back as they were, or in one of four flips: no changes of colour.
train_dataloader = dict(
    dataset=dict(
        pipeline=[step for step in _base_.train_pipeline if step['type'] != 'PhotoMetricDistortion']
    )
)
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type='FeatureCacheHook',
        folder='work_dirs/feature_cache',  # may be shared by all runs on this disk
        dtype='float32',  # exact; 'float16' takes half the space
        max_gigabytes=20,
    ),
]
