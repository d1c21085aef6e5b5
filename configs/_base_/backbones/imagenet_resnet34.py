# ImageNet's ResNet-34 as published by torchvision, with its input normalization.
_base_ = './imagenet_resnet50.py'

# ------------------------------ change these for another file -------------------------------
checkpoint = 'checkpoints/resnet34-b627a593.pth'
source = 'download.pytorch.org/models/resnet34-b627a593.pth'
# --------------------------------------------------------------------------------------------

backbone = dict(depth=34, init_cfg=dict(checkpoint=checkpoint, source=source))
