# The control of resnet50_plates.py: the same decoder and heads, trained on a frozen backbone
# with random weights. Any advantage of the pretrained network comes from its backbone.
#
#   python tools/model_converters/random_backbone.py data/plates/train \
#       checkpoints/random_resnet50.pth
#   python tools/pretrain.py configs/pretrain/resnet50_plates_control.py
_base_ = 'resnet50_plates.py'

max_epochs = 6  # only decoder and heads are trained

model = dict(
    backbone=dict(
        frozen=True,
        init_cfg=dict(type='ClearGraspCheckpoint', checkpoint='checkpoints/random_resnet50.pth'),
    )
)
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [
    _base_.param_scheduler[0],
    dict(
        type='CosineAnnealingLR',
        begin=1,
        end=max_epochs,
        eta_min=_base_.lr * 0.01,
        convert_to_iter_based=True,
    ),
]
