# ImageNet's ResNet-101 as published by torchvision, with its input normalization.
_base_ = './imagenet_resnet50.py'

# ------------------------------ change these for another file -------------------------------
checkpoint = 'checkpoints/resnet101-63fe2227.pth'
source = 'download.pytorch.org/models/resnet101-63fe2227.pth'
# --------------------------------------------------------------------------------------------

backbone = dict(depth=101, init_cfg=dict(checkpoint=checkpoint, source=source))
