# ClearGrasp's network for one task: mask.
#
#   python tools/pretrain.py configs/pretrain/resnet50_mask.py
_base_ = 'resnet50_joint.py'

model = dict(tasks=dict(_delete_=True, mask=1.0))
train_dataloader = dict(dataset=dict(tasks=['mask']))
val_dataloader = dict(dataset=dict(tasks=['mask']))
