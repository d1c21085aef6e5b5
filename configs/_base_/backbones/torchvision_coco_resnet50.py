# The ResNet-50 of torchvision's Faster R-CNN on COCO; the input normalization is the same.
_base_ = './coco_resnet50.py'

# ------------------------------ change these for another file -------------------------------
checkpoint = 'checkpoints/fasterrcnn_resnet50_fpn_coco-258fb6c6.pth'
source = 'download.pytorch.org/models/fasterrcnn_resnet50_fpn_coco-258fb6c6.pth'
# --------------------------------------------------------------------------------------------

backbone = dict(init_cfg=dict(checkpoint=checkpoint, source=source))
