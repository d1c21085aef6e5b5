# Faster R-CNN on a ClearGrasp ResNet-50 that learns once the heads are warm.
#
#   python tools/train.py configs/frcnn_cleargrasp_finetuned_plates.py
_base_ = 'frcnn_cleargrasp_plates.py'

model = dict(backbone=dict(frozen=False))
custom_hooks = [*_base_.custom_hooks, dict(type='FreezeBackboneHook', epochs=2)]
# What is pretrained moves a tenth as fast as what is new.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))))
# With several GPUs: parameters that are frozen at first get no gradient.
find_unused_parameters = True
