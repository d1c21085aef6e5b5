# A schedule for a few hundred images on one machine.

# ----------------------------------------- settings -----------------------------------------
max_epochs = 24
lr = 2e-4  # for a total batch size of 2; --auto-scale-lr adapts it
# ---------------------------------------------------------------------------------------------

train_cfg = dict(type='ResumableTrainLoop', max_epochs=max_epochs, val_interval=1)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

# AdamW trains the randomly initialized neck and heads within tens of steps. Warm-up lasts one
# epoch.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=lr, weight_decay=0.01, fused=True),  # same result, faster
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
