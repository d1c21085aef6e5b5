# Fine-tuning: the pretrained backbone is trained with a tenth of the learning rate. Use
# `optim_wrapper = _base_.slow_backbone` and, if the heads are randomly initialized,
# `custom_hooks = [*_base_.custom_hooks, _base_.late_backbone]`.

# ----------------------------------------- settings -----------------------------------------
lr_mult = 0.1  # learning rate factor of the backbone
frozen_epochs = 2  # the backbone is frozen while the heads warm up
# ---------------------------------------------------------------------------------------------

slow_backbone = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=lr_mult))))
late_backbone = dict(type='FreezeBackboneHook', epochs=frozen_epochs)
