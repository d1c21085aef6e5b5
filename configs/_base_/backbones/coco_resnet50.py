# The ResNet-50 of MMDetection's Faster R-CNN on COCO, frozen, with its input normalization.
_base_ = '../inputs/imagenet.py'

# ------------------------------ change these for another file -------------------------------
checkpoint = 'checkpoints/faster_rcnn_r50_fpn_1x_coco_20200130-047c8118.pth'
source = (
    'download.openmmlab.com/mmdetection/v2.0/faster_rcnn/faster_rcnn_r50_fpn_1x_coco/'
    'faster_rcnn_r50_fpn_1x_coco_20200130-047c8118.pth'
)
# --------------------------------------------------------------------------------------------

backbone = dict(
    type='ClearGraspResNet',
    depth=50,
    trained_stride=32,  # no dilation
    frozen=True,
    init_cfg=dict(type='ClearGraspCheckpoint', checkpoint=checkpoint, source=source),
)
