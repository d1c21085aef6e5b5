# ClearGrasp's three tasks on a ResNet-50, which also learns to predict the feature maps of an
# EfficientNet-Lite2 that was pretrained on ImageNet. It goes on from the backbone of
# resnet50_plates.py.
#
#   python tools/render_plates.py configs/rendering/pretraining.yaml work_dirs/pretraining_data
#   python tools/pretrain.py configs/pretrain/resnet50_plates.py
#   python tools/pretrain.py configs/pretrain/resnet50_distilled.py --amp
_base_ = ['resnet50_plates.py', '../_base_/backbones/imagenet_efficientnet_lite2.py']

max_epochs = 80
lr = 1e-3

model = dict(
    type='DistilledClearGraspNetwork',
    distillation=3.0,
    teacher=dict(
        backbone={**_base_.backbone, 'output_stride': 16},  # dense, as the student
        mean=_base_.data_preprocessor.mean,
        std=_base_.data_preprocessor.std,
    ),
    backbone=dict(
        out_indices=(0, 1, 2, 3),
        init_cfg=dict(
            type='ClearGraspCheckpoint', checkpoint='work_dirs/resnet50_plates/backbone.pth'
        ),
    ),
)
train_dataloader = dict(batch_size=8)
train_cfg = dict(max_epochs=max_epochs, val_interval=8)
optim_wrapper = dict(optimizer=dict(lr=lr))
param_scheduler = [
    _base_.param_scheduler[0],
    {**_base_.param_scheduler[1], 'end': max_epochs, 'eta_min': lr * 0.01},
]
custom_hooks = [hook for hook in _base_.custom_hooks if hook['type'] != 'PipelineSwitchHook']
