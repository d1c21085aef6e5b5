# ClearGrasp's network: ResNet-50 dense at stride 16, DeepLabv3+ decoder, one head per task.
model = dict(
    type='ClearGraspNetwork',
    # RGB in [0, 1], as in the detectors.
    data_preprocessor=dict(
        type='ImgDataPreprocessor', mean=[0, 0, 0], std=[255, 255, 255], bgr_to_rgb=True
    ),
    backbone=dict(
        type='ClearGraspResNet',
        depth=50,
        trained_stride=16,
        output_stride=16,
        out_indices=(0, 3),
        frozen=False,
        norm_eval=False,  # trained from scratch
    ),
)
