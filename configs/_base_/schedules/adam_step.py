# The reference's schedule: Adam at 1e-3, a tenth every 30 epochs. It stops at 60, where the rate is dead anyway.
train_cfg = dict(by_epoch=True, max_epochs=60, val_interval=5)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3))
param_scheduler = [dict(type='StepLR', step_size=30, gamma=0.1, by_epoch=True)]
auto_scale_lr = dict(base_batch_size=64)
custom_hooks = [dict(type='SyncAllBuffersHook'), dict(type='FastCpuHook')]
