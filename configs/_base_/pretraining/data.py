# Images with masks, outlines and normals in ClearGrasp's folders (docs/pretraining.md).

# ----------------------------------------- settings -----------------------------------------
train_folders = ['work_dirs/pretraining_data/train']  # or tools/pretrain.py --data-root DIR
val_folders = ['work_dirs/pretraining_data/val']
tasks = dict(mask=1.0, outlines=1.0, normals=2.0)  # weights of the losses
size = 256  # image size in pixels, as in ClearGrasp
batch_size = 8
num_workers = 2
# ---------------------------------------------------------------------------------------------

# ClearGrasp's photometric augmentation.
appearance = [
    dict(type='BrightPatches'),
    dict(type='ColorChange'),
    dict(type='BlurAndNoise'),
    dict(type='ColoredBlocks'),
]
train_pipeline = [
    dict(type='LoadClearGraspSample'),
    dict(type='ResizeSample', size=(size, size)),
    dict(type='RandomTurnSample', mirror=0.5),
    *appearance,
    dict(type='PackSample'),
]
val_pipeline = [
    dict(type='LoadClearGraspSample'),
    dict(type='ResizeSample', size=(size, size)),
    dict(type='PackSample'),
]

train_dataloader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    persistent_workers=False,  # restarted and reseeded every epoch
    worker_init_fn=dict(type='init_worker'),
    drop_last=True,  # batch norm needs more than one image
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ClearGraspDataset', folders=train_folders, tasks=list(tasks), pipeline=train_pipeline
    ),
)
val_dataloader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    persistent_workers=num_workers > 0,
    worker_init_fn=dict(type='init_worker'),  # workers ignore SIGTERM, which training handles
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ClearGraspDataset',
        folders=val_folders,
        tasks=list(tasks),
        test_mode=True,
        pipeline=val_pipeline,
    ),
)
val_evaluator = dict(type='PretrainingMetric')
