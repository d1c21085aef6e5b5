# Mask, outlines and normals in one network, by ClearGrasp's recipe.
#
#   python tools/pretrain.py configs/pretrain/resnet50_joint.py
_base_ = [
    '../_base_/pretraining/network.py',
    '../_base_/pretraining/data.py',
    '../_base_/pretraining/schedule.py',
    '../_base_/pretraining/runtime.py',
]

model = dict(tasks=_base_.tasks)
