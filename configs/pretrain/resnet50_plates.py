# The joint network, cut down so that each step is cheap on a CPU.
# Results: checkpoints/README.md.
#
#   python tools/render_plates.py configs/rendering/pretraining.yaml work_dirs/pretraining_data
#   python tools/pretrain.py configs/pretrain/resnet50_plates.py
_base_ = 'resnet50_joint.py'

max_epochs = 32
lr = 5e-4

# Half of ClearGrasp's decoder width: only the backbone is kept.
model = dict(channels=128, channels_last=True)

# Many small steps. Square crops and 90° rotations; larger crops in the last quarter.
small_crops = [
    dict(type='LoadClearGraspSample'),
    dict(type='RandomCropSample', size=128, scale=(0.5, 1.0)),
    dict(type='RandomTurnSample', mirror=0.5, turn=0.75),
    *_base_.appearance,
    dict(type='PackSample'),
]
large_crops = [
    dict(type='LoadClearGraspSample'),
    dict(type='RandomCropSample', size=160, scale=(0.6, 1.0)),
    *small_crops[2:],
]
train_dataloader = dict(batch_size=4, num_workers=1, dataset=dict(pipeline=small_crops))
# Whole images at their rendered size.
val_dataloader = dict(
    num_workers=1,
    persistent_workers=False,
    dataset=dict(
        pipeline=[
            dict(type='LoadClearGraspSample'),
            dict(type='ResizeSample', size=(288, 216)),
            dict(type='PackSample'),
        ]
    ),
)

train_cfg = dict(max_epochs=max_epochs, val_interval=3)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=lr, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
    clip_grad=dict(max_norm=5),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, begin=0, end=1, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        begin=1,
        end=max_epochs,
        eta_min=lr * 0.01,
        convert_to_iter_based=True,
    ),
]
custom_hooks = [
    *_base_.custom_hooks,
    # Exponential moving average over some hundred steps, including batch norm's statistics.
    dict(type='EMAHook', momentum=0.005, update_buffers=True),
    dict(type='PipelineSwitchHook', switch_epoch=28, switch_pipeline=large_crops),
]
