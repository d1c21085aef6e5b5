_base_ = 'mmdet::_base_/default_runtime.py'

custom_imports = dict(imports=['mmdet_cleargrasp'], allow_failed_imports=False)

randomness = dict(seed=0)

# Without MMDetection's fixed name: of two runs in one process, the second would log into the
# folder of the first.
visualizer = dict(_delete_=True, type='DetLocalVisualizer', vis_backends=_base_.vis_backends)

default_hooks = dict(
    # Log every tenth step, and at least once per epoch.
    logger=dict(interval=10),
    checkpoint=dict(interval=1, max_keep_ckpts=2, save_best='coco/bbox_mAP', rule='greater'),
    visualization=dict(type='PlateVisualizationHook'),
)
custom_hooks = [
    dict(type='RandomStateHook'),  # exact resuming
    dict(type='PlainCheckpointHook'),  # checkpoints that torch.load and DetInferencer read
    dict(type='InterruptHook'),
    dict(type='MissedValidationHook'),
    dict(type='FiniteLossHook'),
    dict(type='CurvesHook'),
    dict(type='SamplePicturesHook'),  # train_batch.jpg, val_samples.jpg
    dict(type='WorkingThresholdHook'),  # the score threshold with the best F1 on validation
    dict(type='ScheduleHook'),
]
log_processor = dict(window_size=10)
