# ClearGrasp's ResNet-50, frozen, together with the input that it was pretrained on.
_base_ = '../inputs/cleargrasp.py'

# ------------------------------ what to change for another file ------------------------------
checkpoint = 'checkpoints/cleargrasp_resnet50.pth'  # local backbone file, never a URL
source = "tools/pretrain.py, or ClearGrasp's own code; its released files are DRN-D-54"
trained_stride = 8  # the output stride at which the file was trained: 8 or 16
# ----------------------------------------------------------------------------------------------

backbone = dict(
    type='ClearGraspResNet',
    depth=50,
    trained_stride=trained_stride,
    output_stride=32,  # the dense network's values at the positions that the FPN reads
    frozen=True,
    init_cfg=dict(type='ClearGraspCheckpoint', checkpoint=checkpoint, source=source),
)
