# Faster R-CNN on a frozen ClearGrasp ResNet-101 whose maps are computed once and kept on disk.
#
#   python tools/train.py configs/frcnn_cleargrasp_r101_cached_plates.py
_base_ = 'frcnn_cleargrasp_r101_plates.py'

# It pays since images come back as they were, or in one of four flips.
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type='FeatureCacheHook',
        folder='work_dirs/feature_cache',  # may be shared by all runs on this disk
        dtype='float32',  # exact; 'float16' takes half the space
        max_gigabytes=20,
    ),
]
