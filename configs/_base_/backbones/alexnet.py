# AlexNet from scratch, with torchvision's input normalization.
_base_ = '../inputs/imagenet.py'

backbone = dict(type='AlexNet', frozen=False)
