# The ResNet-50 of torchvision's RetinaNet on COCO; the input normalization is the same.
_base_ = './coco_resnet50.py'

# ------------------------------ change these for another file -------------------------------
checkpoint = 'checkpoints/retinanet_resnet50_fpn_coco-eeacb38b.pth'
source = 'download.pytorch.org/models/retinanet_resnet50_fpn_coco-eeacb38b.pth'
# --------------------------------------------------------------------------------------------

backbone = dict(init_cfg=dict(checkpoint=checkpoint, source=source))
