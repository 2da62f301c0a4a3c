# YinNet trained as well as we can: padded box, mild augmentation of geometry and photo, L1 on shares of the crop, EMA.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/300w.py',
    '../_base_/schedules/adamw_cosine.py',
    '../_base_/models/regression.py',
    '../_base_/augmentation_mild.py',
]

padding = 1.25
codec = dict(type='FaceRegressionLabel', input_size=(128, 128))
model = dict(backbone=dict(type='YinNet'), head=dict(in_channels=1024, decoder=codec))

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
