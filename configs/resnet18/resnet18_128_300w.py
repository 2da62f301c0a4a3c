# ResNet18 from random weights, first part: 128 pixels. At 224 it learns nothing from random weights, it seems because
# an untrained cell of the last map weighs a piece of the face there, and the average over all cells does not say where
# that piece is. Two things more make it learn: the last layer starts at the mean shape, and no residual branch at zero
# (MMPose's default). See docs/results/runs.md.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/300w.py',
    '../_base_/schedules/adamw_cosine.py',
    '../_base_/models/regression.py',
    '../_base_/augmentation_mild.py',
]

padding = 1.25
codec = dict(type='FaceRegressionLabel', input_size=(128, 128), unit='percent')
model = dict(
    backbone=dict(type='ResNet', depth=18, zero_init_residual=False),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(in_channels=512, decoder=codec),
)

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
custom_hooks = [*_base_.custom_hooks, dict(type='MeanShapeHook')]
train_cfg = dict(max_epochs=30)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=2, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=2, T_max=28, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
