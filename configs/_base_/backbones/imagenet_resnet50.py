# ImageNet's ResNet-50 as torchvision publishes it, frozen, with its input normalization.
_base_ = '../inputs/imagenet.py'

# ------------------------------ change these for another file -------------------------------
checkpoint = 'checkpoints/resnet50-0676ba61.pth'
source = 'download.pytorch.org/models/resnet50-0676ba61.pth'
# --------------------------------------------------------------------------------------------

backbone = dict(
    type='ClearGraspResNet',
    depth=50,
    trained_stride=32,  # no dilation
    frozen=True,
    init_cfg=dict(type='ClearGraspCheckpoint', checkpoint=checkpoint, source=source),
)
