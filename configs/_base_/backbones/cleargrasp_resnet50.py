# A ResNet-50 pretrained as ClearGrasp's is, frozen, with its input normalization.
# The file that comes with this repository was trained here, on renders and with a teacher that has
# ImageNet weights; it is not ClearGrasp's.
_base_ = '../inputs/cleargrasp.py'

# ------------------------------ change these for another file -------------------------------
checkpoint = 'checkpoints/resnet50_pretrained_on_renders.pth'  # a local file, never a URL
source = "a clone of this repository has it; or tools/pretrain.py, or ClearGrasp's own code"
trained_stride = 16  # the output stride at which the file was trained: 8 or 16
# ----------------------------------------------------------------------------------------------

backbone = dict(
    type='ClearGraspResNet',
    depth=50,
    trained_stride=trained_stride,
    output_stride=32,  # exactly the dense network's values at the FPN's strides
    frozen=True,
    init_cfg=dict(type='ClearGraspCheckpoint', checkpoint=checkpoint, source=source),
)
