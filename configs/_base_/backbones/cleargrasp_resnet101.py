# ClearGrasp's ResNet-101, frozen, with the same input as its ResNet-50.
_base_ = './cleargrasp_resnet50.py'

# ------------------------------ what to change for another file ------------------------------
checkpoint = 'checkpoints/cleargrasp_resnet101.pth'
source = "a training with ClearGrasp's code; the files that it released are DRN-D-54"
# --------------------------------------------------------------------------------------------

backbone = dict(depth=101, init_cfg=dict(checkpoint=checkpoint, source=source))
