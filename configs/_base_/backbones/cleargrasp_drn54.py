# The DRN-D-54 that ClearGrasp released, frozen, together with the input it was pretrained on.

# ------------------------------ what to change for another file ------------------------------
task = 'normals'  # which of ClearGrasp's three networks: 'mask', 'outlines' or 'normals'
checkpoint = f'checkpoints/cleargrasp_{task}.pth'
source = (
    f'the file of {task} in storage.googleapis.com/cleargrasp/cleargrasp-checkpoints.zip, under '
    'this name'
)
# --------------------------------------------------------------------------------------------

# ClearGrasp feeds RGB between 0 and 1, without ImageNet's mean and deviation.
data_preprocessor = dict(
    type='DetDataPreprocessor',
    mean=[0, 0, 0],
    std=[255, 255, 255],
    bgr_to_rgb=True,
    pad_size_divisor=32,
)
backbone = dict(
    type='ClearGraspDRN',
    arch='D-54',
    output_stride=32,  # the dense network's values at the positions that the FPN reads
    frozen=True,
    init_cfg=dict(type='ClearGraspCheckpoint', checkpoint=checkpoint, source=source),
)
