# ImageNet's ResNet-50 as torchvision publishes it, frozen, together with its input.
_base_ = '../inputs/imagenet.py'

# ------------------------------ what to change for another file ------------------------------
checkpoint = 'checkpoints/resnet50-0676ba61.pth'
source = 'download.pytorch.org/models/resnet50-0676ba61.pth'
# --------------------------------------------------------------------------------------------

backbone = dict(
    type='ClearGraspResNet',
    depth=50,
    trained_stride=32,  # a plain ResNet: ImageNet's was never dilated
    frozen=True,
    init_cfg=dict(type='ClearGraspCheckpoint', checkpoint=checkpoint, source=source),
)
