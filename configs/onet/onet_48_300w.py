# ONet, 48 pixels, trained like ONet; small enough that twice the epochs cost minutes.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/300w.py',
    '../_base_/schedules/adamw_cosine.py',
    '../_base_/models/regression.py',
    '../_base_/augmentation.py',
]

padding = 1.25
codec = dict(type='FaceRegressionLabel', input_size=(48, 48))
model = dict(backbone=dict(type='ONet'), head=dict(in_channels=256, decoder=codec))

train_pipeline = [
    *_base_.load_train,
    dict(type='GetBBoxCenterScale', padding=padding),
    *_base_.augment_box,
    dict(type='TopdownAffine', input_size=codec['input_size']),
    *_base_.augment_crop,
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackFaceInputs'),
]
test_pipeline = [
    *_base_.load_test,
    dict(type='GetBBoxCenterScale', padding=padding),
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='PackFaceInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
train_cfg = dict(max_epochs=200)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=2, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=2, T_max=198, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
