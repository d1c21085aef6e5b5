# The ResNet-50 of MMDetection's Faster R-CNN on COCO, frozen, together with its input.

# ------------------------------ what to change for another file ------------------------------
checkpoint = 'checkpoints/faster_rcnn_r50_fpn_1x_coco_20200130-047c8118.pth'
source = (
    'download.openmmlab.com/mmdetection/v2.0/faster_rcnn/faster_rcnn_r50_fpn_1x_coco/'
    'faster_rcnn_r50_fpn_1x_coco_20200130-047c8118.pth'
)
# --------------------------------------------------------------------------------------------

# The input that it was trained on: RGB with ImageNet's mean and deviation.
data_preprocessor = dict(
    type='DetDataPreprocessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_size_divisor=32,
)
backbone = dict(
    type='ClearGraspResNet',
    depth=50,
    trained_stride=32,  # a plain ResNet: COCO's was never dilated
    frozen=True,
    init_cfg=dict(type='ClearGraspCheckpoint', checkpoint=checkpoint, source=source),
)
