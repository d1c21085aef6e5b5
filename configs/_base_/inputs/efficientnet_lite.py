# Input of TensorFlow's EfficientNet-Lite: RGB, (x - 127) / 128.
data_preprocessor = dict(
    type='DetDataPreprocessor',
    mean=[127, 127, 127],
    std=[128, 128, 128],
    bgr_to_rgb=True,
    pad_size_divisor=32,
)
