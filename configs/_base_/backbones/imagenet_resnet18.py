# ImageNet's ResNet-18 as published by torchvision, with its input normalization.
_base_ = './imagenet_resnet50.py'

# ------------------------------ change these for another file -------------------------------
checkpoint = 'checkpoints/resnet18-f37072fd.pth'
source = 'download.pytorch.org/models/resnet18-f37072fd.pth'
# --------------------------------------------------------------------------------------------

backbone = dict(depth=18, init_cfg=dict(checkpoint=checkpoint, source=source))
