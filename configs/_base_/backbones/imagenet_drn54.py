# ImageNet's DRN-D-54 as its authors publish it, frozen, together with its input.

# ------------------------------ what to change for another file ------------------------------
checkpoint = 'checkpoints/drn_d_54-0e0534ff.pth'
source = 'dl.yf.io/drn/drn_d_54-0e0534ff.pth'
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
    type='ClearGraspDRN',
    arch='D-54',
    output_stride=32,
    frozen=True,
    init_cfg=dict(type='ClearGraspCheckpoint', checkpoint=checkpoint, source=source),
)
