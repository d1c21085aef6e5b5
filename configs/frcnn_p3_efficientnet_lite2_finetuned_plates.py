# frcnn_p3_efficientnet_lite2_plates.py with a backbone that is trained after two frozen epochs.
#
#   python tools/train.py configs/frcnn_p3_efficientnet_lite2_finetuned_plates.py
_base_ = ['frcnn_p3_efficientnet_lite2_plates.py', '_base_/finetune.py']

model = dict(backbone=dict(frozen=False))
# Without the feature cache: the maps change.
custom_hooks = [
    *[hook for hook in _base_.custom_hooks if hook['type'] != 'FeatureCacheHook'],
    _base_.late_backbone,
]
optim_wrapper = _base_.slow_backbone
# For several GPUs: parameters of the frozen backbone get no gradient.
find_unused_parameters = True
