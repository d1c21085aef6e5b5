# The control: a frozen ResNet-50 of random weights, with ClearGrasp's input.
_base_ = './cleargrasp_resnet50.py'

# ------------------------------ what to change for another file ------------------------------
checkpoint = 'checkpoints/random_resnet50.pth'
source = f'python tools/model_converters/random_backbone.py data/plates/train {checkpoint}'
# --------------------------------------------------------------------------------------------

backbone = dict(init_cfg=dict(checkpoint=checkpoint, source=source))
