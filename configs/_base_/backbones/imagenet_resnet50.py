# ImageNet's ResNet-50 as torchvision publishes it, frozen, together with its input.

# ------------------------------ what to change for another file ------------------------------
checkpoint = 'checkpoints/resnet50-0676ba61.pth'
source = 'download.pytorch.org/models/resnet50-0676ba61.pth'
# --------------------------------------------------------------------------------------------

# The input that ImageNet's files were trained on: RGB with ImageNet's mean and deviation.
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
    trained_stride=32,  # a plain ResNet: ImageNet's was never dilated
    frozen=True,
    init_cfg=dict(type='ClearGraspCheckpoint', checkpoint=checkpoint, source=source),
)
