# Faster R-CNN on AlexNet, a single level with stride 16, from scratch.
#
#   python tools/train.py configs/frcnn_alexnet_plates.py
_base_ = ['_base_/frcnn.py', '_base_/backbones/alexnet.py']

model = dict(
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_delete_=True, **_base_.backbone),
    neck=None,
    rpn_head=dict(
        # 32, 64, 128 and 256 pixels, on a single level
        anchor_generator=dict(scales=[2, 4, 8, 16], ratios=[0.5, 1.0, 2.0], strides=[16]),
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(
            roi_layer=dict(output_size=4, sampling_ratio=1), featmap_strides=[16]
        ),
        bbox_head=dict(roi_feat_size=4),
    ),
)
