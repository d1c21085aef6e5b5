# Faster R-CNN on AlexNet, a single level with stride 16, fine-tuned from ImageNet.
#
#   python tools/train.py configs/frcnn_imagenet_alexnet_plates.py
_base_ = 'frcnn_alexnet_plates.py'

# ------------------------------ change these for another file -------------------------------
checkpoint = 'checkpoints/alexnet-owt-7be5be79.pth'
source = 'download.pytorch.org/models/alexnet-owt-7be5be79.pth'
# --------------------------------------------------------------------------------------------

model = dict(
    backbone=dict(init_cfg=dict(type='ClearGraspCheckpoint', checkpoint=checkpoint, source=source))
)
