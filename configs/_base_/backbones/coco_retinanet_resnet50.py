# The ResNet-50 of MMDetection's RetinaNet on COCO.
_base_ = './coco_resnet50.py'

# ------------------------------ change these for another file -------------------------------
checkpoint = 'checkpoints/retinanet_r50_fpn_1x_coco_20200130-c2398f9e.pth'
source = (
    'download.openmmlab.com/mmdetection/v2.0/retinanet/retinanet_r50_fpn_1x_coco/'
    'retinanet_r50_fpn_1x_coco_20200130-c2398f9e.pth'
)
# --------------------------------------------------------------------------------------------

backbone = dict(init_cfg=dict(checkpoint=checkpoint, source=source))
