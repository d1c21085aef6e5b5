# The control: a frozen ResNet-50 with random weights, with ClearGrasp's input normalization.
_base_ = './cleargrasp_resnet50.py'

# ------------------------------ change these for another file -------------------------------
checkpoint = 'checkpoints/random_resnet50.pth'
source = f'python tools/model_converters/random_backbone.py data/plates/train {checkpoint}'
# --------------------------------------------------------------------------------------------

backbone = dict(init_cfg=dict(checkpoint=checkpoint, source=source))
