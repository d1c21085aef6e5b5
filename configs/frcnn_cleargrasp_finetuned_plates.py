# Faster R-CNN on a ClearGrasp ResNet-50 that is trained after two frozen epochs.
#
#   python tools/train.py configs/frcnn_cleargrasp_finetuned_plates.py
_base_ = ['frcnn_cleargrasp_plates.py', '_base_/finetune.py']

model = dict(backbone=dict(frozen=False))
custom_hooks = [*_base_.custom_hooks, _base_.late_backbone]
optim_wrapper = _base_.slow_backbone
# For several GPUs: parameters of the frozen backbone get no gradient.
find_unused_parameters = True
