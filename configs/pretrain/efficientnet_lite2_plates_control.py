# The control of efficientnet_lite2_plates.py: only decoder and heads learn, on frozen ImageNet
# features. With a file of random weights, the control of efficientnet_lite2_plates_scratch.py:
#
#   python tools/model_converters/random_backbone.py data/plates/train \
#       checkpoints/random_efficientnet_lite2.pth --config \
#       configs/frcnn_p3_efficientnet_lite2_plates.py
#   python tools/pretrain.py configs/pretrain/efficientnet_lite2_plates_control.py --amp \
#       --cfg-options model.backbone.init_cfg.checkpoint=checkpoints/random_efficientnet_lite2.pth
_base_ = 'efficientnet_lite2_plates.py'

max_epochs = 10  # only decoder and heads are trained

model = dict(backbone=dict(frozen=True, norm_eval=True))
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = [
    _base_.param_scheduler[0],
    {**_base_.param_scheduler[1], 'end': max_epochs},
]
