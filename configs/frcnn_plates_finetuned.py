# This repository's plate detector, fine-tuned on your own data.
#
#   python tools/train.py configs/frcnn_plates_finetuned.py --data-root DIR
#
# All layers are loaded; classification layers only if the classes have the same names.
_base_ = 'frcnn_plates_detector.py'

# ----------------------------------------- settings -----------------------------------------
checkpoint = 'checkpoints/plate_detector.pth'
source = 'a clone of this repository has it; or tools/train.py configs/frcnn_plates_detector.py'
batch_size = 2
lr = 1e-4
# ---------------------------------------------------------------------------------------------

model = dict(
    backbone=dict(init_cfg=None),  # stays frozen: small data sets train only the heads
    init_cfg=dict(
        type='DetectorCheckpoint',
        checkpoint=checkpoint,
        source=source,
        classes=_base_.classes,  # set by --data-root
    ),
)
train_dataloader = dict(batch_size=batch_size)
val_evaluator = dict(beta=1.0)  # validated on images as those of the use
optim_wrapper = dict(optimizer=dict(lr=lr))
auto_scale_lr = dict(base_batch_size=batch_size)
