# ImageNet's DRN-D-54 as its authors publish it, frozen, with its input normalization.
_base_ = '../inputs/imagenet.py'

# ------------------------------ change these for another file -------------------------------
checkpoint = 'checkpoints/drn_d_54-0e0534ff.pth'
source = 'dl.yf.io/drn/drn_d_54-0e0534ff.pth'
# --------------------------------------------------------------------------------------------

backbone = dict(
    type='ClearGraspDRN',
    arch='D-54',
    output_stride=32,
    frozen=True,
    init_cfg=dict(type='ClearGraspCheckpoint', checkpoint=checkpoint, source=source),
)
