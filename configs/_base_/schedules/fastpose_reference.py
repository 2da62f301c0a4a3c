# The 106-point reference's schedule: Adam at a constant 1e-4; its first stage lasted 30 epochs of the full set.
train_cfg = dict(by_epoch=True, max_epochs=30, val_interval=1)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-4))
auto_scale_lr = dict(base_batch_size=32)
custom_hooks = [dict(type='SyncAllBuffersHook'), dict(type='FastCpuHook')]
