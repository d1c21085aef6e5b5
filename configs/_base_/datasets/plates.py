# Plates in COCO format. For data of your own, leave this file alone and give tools/train.py and
# tools/test.py --data-root DIR, which sets paths and classes everywhere they are needed.

# -------------------------------------- what to change --------------------------------------
data_root = 'data/plates/'
classes = ('petri_dish', 'square_dish', 'multiwell_plate')  # in the order of the JSON's categories
scale = (320, 320)  # images are resized to fit in; more for plates that are small in them
batch_size = 2  # per GPU, or in all on a CPU
num_workers = 2  # processes that read images
# ---------------------------------------------------------------------------------------------

num_classes = len(classes)
metainfo = dict(classes=classes)

train_pipeline = [
    dict(type='LoadPhotograph'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', scale=scale, keep_ratio=True),
    # A plate seen from above has no upright side.
    dict(
        type='RandomFlip', prob=[0.25, 0.25, 0.25], direction=['horizontal', 'vertical', 'diagonal']
    ),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadPhotograph'),
    dict(type='Resize', scale=scale, keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
    ),
]

train_dataloader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    persistent_workers=False,  # started and seeded again for every epoch
    worker_init_fn=dict(type='init_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    batch_sampler=dict(type='AspectRatioBatchSampler'),
    dataset=dict(
        type='CocoDataset',
        data_root=data_root,
        ann_file='annotations/train.json',
        data_prefix=dict(img='train/'),
        metainfo=metainfo,
        # Images without a plate teach what is none: keep them.
        filter_cfg=dict(filter_empty_gt=False, min_size=32),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=num_workers,
    persistent_workers=num_workers > 0,
    worker_init_fn=dict(type='init_worker'),  # workers ignore SIGTERM, which training handles
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoDataset',
        data_root=data_root,
        ann_file='annotations/val.json',
        data_prefix=dict(img='val/'),
        metainfo=metainfo,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader

# COCO's figures and, to find the score threshold with the best F1, those of the answers.
val_evaluator = dict(
    type='PlateCocoMetric',
    ann_file=data_root + 'annotations/val.json',
    metric='bbox',
    classwise=True,
)
test_evaluator = dict(val_evaluator, type='CocoMetric')  # tools/test.py adds the answers
