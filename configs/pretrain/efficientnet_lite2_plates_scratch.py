# ClearGrasp's three tasks on EfficientNet-Lite2 with random initial weights.
#
#   python tools/pretrain.py configs/pretrain/efficientnet_lite2_plates_scratch.py --amp
_base_ = 'efficientnet_lite2_plates.py'

model = dict(backbone=dict(init_cfg=None))
