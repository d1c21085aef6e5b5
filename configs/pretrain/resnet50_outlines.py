# ClearGrasp's network for one task: outlines.
#
#   python tools/pretrain.py configs/pretrain/resnet50_outlines.py
_base_ = 'resnet50_joint.py'

model = dict(tasks=dict(_delete_=True, outlines=1.0))
train_dataloader = dict(dataset=dict(tasks=['outlines']))
val_dataloader = dict(dataset=dict(tasks=['outlines']))
