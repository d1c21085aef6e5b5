# EfficientNet-Lite2 from ImageNet weights on one of ClearGrasp's tasks alone: outlines.
#
#   python tools/pretrain.py configs/pretrain/efficientnet_lite2_plates_outlines.py --amp
_base_ = 'efficientnet_lite2_plates.py'

model = dict(tasks=dict(_delete_=True, outlines=1.0))
train_dataloader = dict(dataset=dict(tasks=['outlines']))
val_dataloader = dict(dataset=dict(tasks=['outlines']))
