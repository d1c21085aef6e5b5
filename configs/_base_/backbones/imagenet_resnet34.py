# ImageNet's ResNet-34 as torchvision publishes it, with the input of its ResNet-50.
_base_ = './imagenet_resnet50.py'

# ------------------------------ what to change for another file ------------------------------
checkpoint = 'checkpoints/resnet34-b627a593.pth'
source = 'download.pytorch.org/models/resnet34-b627a593.pth'
# --------------------------------------------------------------------------------------------

backbone = dict(depth=34, init_cfg=dict(checkpoint=checkpoint, source=source))
