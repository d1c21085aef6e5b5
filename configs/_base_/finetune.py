# Fine-tuning: a pretrained backbone that learns, a tenth as fast as what starts from nothing.
# A config takes it as `optim_wrapper = _base_.slow_backbone`, and where the heads start from
# nothing also as `custom_hooks = [*_base_.custom_hooks, _base_.late_backbone]`.

# -------------------------------------- what to change --------------------------------------
lr_mult = 0.1  # of the backbone
frozen_epochs = 2  # until the heads are warm
# ---------------------------------------------------------------------------------------------

slow_backbone = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=lr_mult))))
late_backbone = dict(type='FreezeBackboneHook', epochs=frozen_epochs)
