# AlexNet from scratch, together with the input of torchvision's.
_base_ = '../inputs/imagenet.py'

backbone = dict(type='AlexNet', frozen=False)
