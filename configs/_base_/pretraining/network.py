# ClearGrasp's network: ResNet-50 dense at stride 16, DeepLabv3+ decoder, one head a task.
model = dict(
    type='ClearGraspNetwork',
    # RGB between 0 and 1, as the detectors feed it later.
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
        norm_eval=False,  # from scratch batch norm has to learn
    ),
)
