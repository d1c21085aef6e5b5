# ClearGrasp's input: RGB in [0, 1], without ImageNet's mean and standard deviation.
data_preprocessor = dict(
    type='DetDataPreprocessor',
    mean=[0, 0, 0],
    std=[255, 255, 255],
    bgr_to_rgb=True,
    pad_size_divisor=32,
)
