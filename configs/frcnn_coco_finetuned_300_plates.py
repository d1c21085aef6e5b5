# Faster R-CNN fine-tuned from COCO on images of at most 500 x 300 pixels, with their own anchors.
#
#   python tools/train.py configs/frcnn_coco_finetuned_300_plates.py
_base_ = 'frcnn_coco_finetuned_plates.py'

# ----------------------------------------- settings -----------------------------------------
scale = (500, 300)  # longer and shorter side, at most
anchor_scales = [5]  # anchors of 20, 40, 80, 160 and 320 pixels (times strides 4 to 64)
# Height over width. COCO's RPN weights are kept if there are three ratios.
anchor_ratios = [0.67, 1.0, 1.5]
# ---------------------------------------------------------------------------------------------

model = dict(
    rpn_head=dict(anchor_generator=dict(scales=anchor_scales, ratios=anchor_ratios)),
)
train_pipeline = _base_.train_pipeline
test_pipeline = _base_.test_pipeline
train_pipeline[2].update(scale=scale)
test_pipeline[1].update(scale=scale)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
