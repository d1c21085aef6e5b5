# ImageNet's ResNet-18 as torchvision publishes it, with the input of its ResNet-50.
_base_ = './imagenet_resnet50.py'

# ------------------------------ what to change for another file ------------------------------
checkpoint = 'checkpoints/resnet18-f37072fd.pth'
source = 'download.pytorch.org/models/resnet18-f37072fd.pth'
# --------------------------------------------------------------------------------------------

backbone = dict(depth=18, init_cfg=dict(checkpoint=checkpoint, source=source))
