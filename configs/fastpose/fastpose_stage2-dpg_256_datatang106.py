# FastPose, second stage: goes on from the first with boxes like a detector's (DPG), at a fifth of the rate.
_base_ = ['fastpose_stage1_256_datatang106.py', '../_base_/dpg.py']

load_from = 'work_dirs/fastpose_stage1_256_datatang106/epoch_150.pth'
train_pipeline = [
    *_base_.load_train,
    dict(type='DPG', padding=_base_.padding, **_base_.dpg_sides),
    *_base_.crop_train,
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(optimizer=dict(lr=1e-4))
train_cfg = dict(max_epochs=60)
param_scheduler = [
    dict(type='CosineAnnealingLR', begin=0, T_max=60, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True)
]
