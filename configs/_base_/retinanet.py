# RetinaNet (P3-P7, 9 anchors per location, class prior 0.01) without backbone.
#
# Settings are at the top of these files:
#   checkpoint of the backbone              backbones/*.py
#   data, classes, image scale, batch size  datasets/plates.py (or --data-root DIR)
#   epochs, learning rate                   schedules/plates.py
_base_ = [
    'mmdet::_base_/models/retinanet_r50_fpn.py',
    'datasets/plates.py',
    'schedules/plates.py',
    'default_runtime.py',
]

model = dict(
    neck=dict(conv_cfg=dict(type='FastConv2d')),  # the same values in less time on a CPU
    bbox_head=dict(
        conv_cfg=dict(type='FastConv2d'),
        type='SparseGradRetinaHead',  # MMDetection's, with a cheaper backward pass
        num_classes=_base_.num_classes,
    ),
)

# The focal loss is divided by the number of positive anchors, so batches without a plate would have
# a much larger loss. Anchors on background in the other images are enough negatives.
train_dataloader = dict(dataset=dict(filter_cfg=dict(filter_empty_gt=True)))
# Half of Faster R-CNN's learning rate, as in MMDetection's COCO configs.
optim_wrapper = dict(optimizer=dict(lr=_base_.lr / 2))
