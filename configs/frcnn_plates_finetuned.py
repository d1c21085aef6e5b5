# The detector of plates that comes with this repository, fine-tuned on labels of one's own.
#
#   python tools/train.py configs/frcnn_plates_finetuned.py --data-root DIR
#
# All that fits is taken over; what ends in classes too, where the classes have the same names.
_base_ = 'frcnn_plates_detector.py'

# -------------------------------------- what to change --------------------------------------
checkpoint = 'checkpoints/plate_detector.pth'
source = 'a clone of this repository has it; or tools/train.py configs/frcnn_plates_detector.py'
batch_size = 2
lr = 1e-4
# ---------------------------------------------------------------------------------------------

model = dict(
    backbone=dict(init_cfg=None),  # stays frozen: few labels teach the heads, not the features
    init_cfg=dict(
        type='DetectorCheckpoint',
        checkpoint=checkpoint,
        source=source,
        classes=_base_.classes,  # --data-root sets those of the data
    ),
)
train_dataloader = dict(batch_size=batch_size)
optim_wrapper = dict(optimizer=dict(lr=lr))
auto_scale_lr = dict(base_batch_size=batch_size)
