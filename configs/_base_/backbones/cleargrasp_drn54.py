# The DRN-D-54 that ClearGrasp released, frozen, with the input normalization of its pretraining.
_base_ = '../inputs/cleargrasp.py'

# ------------------------------ change these for another file -------------------------------
task = 'normals'  # which of ClearGrasp's three networks: 'mask', 'outlines' or 'normals'
checkpoint = f'checkpoints/cleargrasp_{task}.pth'
source = (
    f'the file of {task} in storage.googleapis.com/cleargrasp/cleargrasp-checkpoints.zip, under '
    'this name'
)
# --------------------------------------------------------------------------------------------

backbone = dict(
    type='ClearGraspDRN',
    arch='D-54',
    output_stride=32,  # exactly the dense network's values at the FPN's strides
    frozen=True,
    init_cfg=dict(type='ClearGraspCheckpoint', checkpoint=checkpoint, source=source),
)
