# ImageNet's ResNet-101 as torchvision publishes it, with the input of its ResNet-50.
_base_ = './imagenet_resnet50.py'

# ------------------------------ what to change for another file ------------------------------
checkpoint = 'checkpoints/resnet101-63fe2227.pth'
source = 'download.pytorch.org/models/resnet101-63fe2227.pth'
# --------------------------------------------------------------------------------------------

backbone = dict(depth=101, init_cfg=dict(checkpoint=checkpoint, source=source))
