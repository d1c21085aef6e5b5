# A schedule for a few hundred images on one machine.

# -------------------------------------- what to change --------------------------------------
max_epochs = 24
lr = 2e-4  # for batches of 2 in all; --auto-scale-lr adapts it to the actual batch
# ---------------------------------------------------------------------------------------------

train_cfg = dict(type='ResumableTrainLoop', max_epochs=max_epochs, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

# The backbone is frozen, so that neck and heads start from nothing: AdamW gets them going within
# tens of steps. Warm-up lasts the first epoch, whatever the number of images.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=lr, weight_decay=0.01, fused=True),  # the same, sooner
    clip_grad=dict(max_norm=10),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.05,
        by_epoch=True,
        begin=0,
        end=1,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        by_epoch=True,
        begin=1,
        end=max_epochs,
        eta_min=lr * 0.02,
        convert_to_iter_based=True,
    ),
]
auto_scale_lr = dict(enable=False, base_batch_size=2)
