# Faster R-CNN on a frozen ClearGrasp ResNet-101 with its features cached on disk.
#
#   python tools/train.py configs/frcnn_cleargrasp_r101_cached_plates.py
_base_ = 'frcnn_cleargrasp_r101_plates.py'

# Caching pays off because the only augmentation is flipping (four variants per image).
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type='FeatureCacheHook',
        folder='work_dirs/feature_cache',  # may be shared by all runs on this disk
        dtype='float32',  # exact; 'float16' needs half the space
        max_gigabytes=20,
    ),
]
