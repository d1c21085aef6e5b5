# AlexNet from scratch, together with the input of torchvision's.

# The input that torchvision's file was trained on: RGB with ImageNet's mean and deviation.
data_preprocessor = dict(
    type='DetDataPreprocessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_size_divisor=32,
)
backbone = dict(type='AlexNet', frozen=False)
