# EfficientNet-Lite2 from ImageNet weights on one of ClearGrasp's tasks alone: mask.
#
#   python tools/pretrain.py configs/pretrain/efficientnet_lite2_plates_mask.py --amp
_base_ = 'efficientnet_lite2_plates.py'

model = dict(tasks=dict(_delete_=True, mask=1.0))
train_dataloader = dict(dataset=dict(tasks=['mask']))
val_dataloader = dict(dataset=dict(tasks=['mask']))
