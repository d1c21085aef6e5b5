# EfficientNet-Lite2 from ImageNet weights on one of ClearGrasp's tasks alone: normals.
#
#   python tools/pretrain.py configs/pretrain/efficientnet_lite2_plates_normals.py --amp
_base_ = 'efficientnet_lite2_plates.py'

model = dict(tasks=dict(_delete_=True, normals=1.0))
train_dataloader = dict(dataset=dict(tasks=['normals']))
# Normals are evaluated on transparent pixels, given by the mask.
val_dataloader = dict(dataset=dict(tasks=['mask', 'normals']))
