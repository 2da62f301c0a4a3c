# YinNet with 106 points, from random weights or, better, from those of the 68-point training:
#   python tools/train.py configs/yinnet/yinnet_128_datatang106.py --amp --cfg-options load_from=CHECKPOINT
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/datatang106.py',
    '../_base_/schedules/adamw_cosine.py',
    '../_base_/models/regression.py',
    '../_base_/augmentation_mild.py',
]

padding = 1.25
codec = dict(type='FaceRegressionLabel', input_size=(128, 128), unit='pixel')
model = dict(
    backbone=dict(type='YinNet', hidden_norm_eval=True),
    head=dict(
        in_channels=1024,
        num_joints=106,
        decoder=codec,
        init_cfg=dict(type='Normal', layer='Linear', std=0.01, bias=64),
    ),
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

train_cfg = dict(max_epochs=60)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=1, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, T_max=59, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
