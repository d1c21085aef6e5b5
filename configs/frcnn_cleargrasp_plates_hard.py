# Faster R-CNN tested on the images that were made to be hard; it trains as ever.
#
#   python tools/test.py configs/frcnn_cleargrasp_plates_hard.py CHECKPOINT
_base_ = 'frcnn_cleargrasp_plates.py'

test_dataloader = dict(
    dataset=dict(ann_file='annotations/hard.json', data_prefix=dict(img='hard/'))
)
test_evaluator = dict(ann_file=_base_.data_root + 'annotations/hard.json')
