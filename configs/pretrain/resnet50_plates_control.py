# The control of resnet50_plates.py: the same decoder and heads, trained on an untrained backbone
# that stays as it is. What the pretrained network does better, its backbone learned.
#
#   python tools/model_converters/random_backbone.py data/plates/train \
#       checkpoints/random_resnet50.pth
#   python tools/pretrain.py configs/pretrain/resnet50_plates_control.py
_base_ = 'resnet50_plates.py'

max_epochs = 6  # with nothing but decoder and heads to learn

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
