# ClearGrasp's three tasks on EfficientNet-Lite2, from ImageNet weights as ClearGrasp itself starts.
# Results: docs/results.md.
#
#   python tools/render_plates.py configs/rendering/pretraining.yaml work_dirs/pretraining_data
#   python tools/pretrain.py configs/pretrain/efficientnet_lite2_plates.py --amp
_base_ = ['resnet50_plates.py', '../_base_/backbones/imagenet_efficientnet_lite2.py']

max_epochs = 40
lr = 3e-4

model = dict(
    data_preprocessor=dict(mean=_base_.data_preprocessor.mean, std=_base_.data_preprocessor.std),
    backbone=dict(
        _delete_=True,
        **{
            **_base_.backbone,
            # Stride 32, at which the detectors run it: these networks have no exact subsampling.
            'out_indices': (1, 4),
            'frozen': False,
            'norm_eval': False,
        },
    ),
)
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=_base_.large_crops))
train_cfg = dict(max_epochs=max_epochs, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=lr))
param_scheduler = [
    _base_.param_scheduler[0],
    {
        **_base_.param_scheduler[1],
        'end': max_epochs,
        'eta_min': lr * 0.01,
    },
]
# All crops are large.
custom_hooks = [hook for hook in _base_.custom_hooks if hook['type'] != 'PipelineSwitchHook']
