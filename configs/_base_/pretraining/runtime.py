_base_ = '../default_runtime.py'

custom_imports = dict(
    imports=['mmdet_cleargrasp', 'mmdet_cleargrasp.pretraining'], allow_failed_imports=False
)
default_hooks = dict(
    _delete_=True,  # mmdet's drawing hook draws boxes
    logger=dict(type='LoggerHook', interval=10),
    checkpoint=dict(
        type='CheckpointHook',
        interval=1,
        max_keep_ckpts=2,
        save_best='pretrain/score',
        rule='greater',
    ),
)
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='SyncBuffersHook'),  # batch norm's statistics, before processes validate and save
    dict(type='BackboneFileHook'),
    dict(type='PicturesHook'),
]
