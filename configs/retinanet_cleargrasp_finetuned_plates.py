# RetinaNet on a ClearGrasp ResNet-50 that is trained after two frozen epochs.
#
#   python tools/train.py configs/retinanet_cleargrasp_finetuned_plates.py
_base_ = ['retinanet_cleargrasp_plates.py', '_base_/finetune.py']

model = dict(backbone=dict(frozen=False))
custom_hooks = [*_base_.custom_hooks, _base_.late_backbone]
optim_wrapper = _base_.slow_backbone
# With several GPUs: parameters that are frozen at first get no gradient.
find_unused_parameters = True
