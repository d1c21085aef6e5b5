# ClearGrasp's network for one task: normals.
#
#   python tools/pretrain.py configs/pretrain/resnet50_normals.py
_base_ = 'resnet50_joint.py'

model = dict(tasks=dict(_delete_=True, normals=1.0))
train_dataloader = dict(dataset=dict(tasks=['normals']))
# Normals are evaluated on transparent pixels, given by the mask.
val_dataloader = dict(dataset=dict(tasks=['mask', 'normals']))
