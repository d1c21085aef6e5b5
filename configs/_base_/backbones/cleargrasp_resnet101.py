# ClearGrasp's ResNet-101, frozen, with the same input normalization as its ResNet-50.
_base_ = './cleargrasp_resnet50.py'

# ------------------------------ change these for another file -------------------------------
checkpoint = 'checkpoints/cleargrasp_resnet101.pth'
source = "tools/pretrain.py, or ClearGrasp's own code; its released files are DRN-D-54"
trained_stride = 16  # the output stride at which the file was trained: 8 or 16
# --------------------------------------------------------------------------------------------

backbone = dict(
    depth=101,
    trained_stride=trained_stride,
    init_cfg=dict(checkpoint=checkpoint, source=source),
)
