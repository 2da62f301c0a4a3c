# FastPose as the reference trains it, second stage: the weights of the first, DPG on, Adam at 1e-4 or 1e-5
# (--cfg-options optim_wrapper.optimizer.lr=1e-5).
_base_ = ['fastpose_reference_stage1_datatang106.py', '../_base_/dpg.py']

load_from = 'work_dirs/fastpose_reference_stage1_datatang106/epoch_30.pth'
train_pipeline = [
    dict(type='LoadFaceImage'),
    dict(type='DPG', padding=_base_.padding, **_base_.dpg_sides),
    *_base_.crop_train,
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
