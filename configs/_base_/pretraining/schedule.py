# ClearGrasp's schedule: Adam at 1e-4, divided by 10 every seven epochs.
max_epochs = 21
train_cfg = dict(type='ResumableTrainLoop', max_epochs=max_epochs, val_interval=1)
val_cfg = dict(type='ValLoop')
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4))
param_scheduler = [dict(type='StepLR', step_size=7, gamma=0.1, by_epoch=True)]
