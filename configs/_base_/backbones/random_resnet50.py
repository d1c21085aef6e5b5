# The control: a ResNet-50 that has learnt nothing, read and frozen as ClearGrasp's is.
_base_ = './cleargrasp_resnet50.py'

# ------------------------------ what to change for another file ------------------------------
checkpoint = 'checkpoints/random_resnet50.pth'
source = f'python tools/model_converters/random_backbone.py data/plates/train {checkpoint}'
# --------------------------------------------------------------------------------------------

backbone = dict(init_cfg=dict(checkpoint=checkpoint, source=source))
