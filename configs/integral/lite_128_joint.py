# The lite model: 0.15 GMAC a face, 68 and 106 points from one network.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/joint.py',
    '../_base_/schedules/adamw_cosine.py',
    '../_base_/models/integral.py',
    '../_base_/augmentation_middle.py',
]

padding = 1.25
model = dict(
    backbone=dict(channels=(16, 32, 80, 160), merged=80, smooth='conv'),
    head=dict(in_channels=80),
)

train_pipeline = [
    *_base_.load_train,
    dict(type='GetBBoxCenterScale', padding=padding),
    *_base_.augment_box,
    dict(type='TopdownAffine', input_size=_base_.codec['input_size']),
    *_base_.augment_crop,
    dict(type='GenerateTarget', encoder=_base_.codec),
    dict(type='PackFaceInputs'),
]
test_pipeline = [
    *_base_.load_test,
    dict(type='GetBBoxCenterScale', padding=padding),
    dict(type='TopdownAffine', input_size=_base_.codec['input_size']),
    dict(type='PackFaceInputs'),
]
train_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(pipeline=train_pipeline, **_base_.joint_300w),
            dict(pipeline=train_pipeline, **_base_.joint_datatang),
        ]
    )
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))

train_cfg = dict(max_epochs=240)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=2, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=2, T_max=238, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
