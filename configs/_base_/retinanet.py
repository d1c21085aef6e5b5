# RetinaNet (P3-P7, 9 anchors per location, class prior 0.01) without backbone.
#
# Settings are at the top of these files:
#   checkpoint of the backbone              backbones/*.py
#   data, classes, image scale, batch size  datasets/plates.py (or --data-root DIR)
#   epochs                                  schedules/plates.py
_base_ = [
    'mmdet::_base_/models/retinanet_r50_fpn.py',
    'datasets/plates.py',
    'schedules/plates.py',
    'default_runtime.py',
]

# ----------------------------------------- settings -----------------------------------------
lr = 2.5 * _base_.lr  # for the initialization below; RetinaNet's own, 0.01 everywhere, needs 1e-4
# ---------------------------------------------------------------------------------------------

model = dict(
    neck=dict(conv_cfg=dict(type='FastConv2d')),  # the same values in less time on a CPU
    bbox_head=dict(
        conv_cfg=dict(type='FastConv2d'),
        type='SparseGradRetinaHead',  # MMDetection's, with a cheaper backward pass
        num_classes=_base_.num_classes,
        # Keeps the scale of the maps through the heads' convolutions, which have no norm layers.
        init_cfg=dict(
            type='Kaiming',
            layer='Conv2d',
            mode='fan_in',
            distribution='normal',
            override=[
                dict(type='Normal', name='retina_cls', std=0.01, bias_prob=0.01),
                dict(type='Normal', name='retina_reg', std=0.01),
            ],
        ),
    ),
)

# The focal loss is divided by the number of positive anchors, so batches without a plate would have
# a much larger loss. Anchors on background in the other images are enough negatives.
train_dataloader = dict(dataset=dict(filter_cfg=dict(filter_empty_gt=True)))
optim_wrapper = dict(optimizer=dict(lr=lr))
