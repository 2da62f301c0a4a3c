# YinNet trained as well as we can: padded box, mild augmentation of geometry and photo, L1, EMA. The last layer gives
# pixels: Adam steps of 1e-3 in its 1,024 weights are small there, while in shares of the crop they shake the points.
# The hidden layer's normalisation keeps its statistics: by those of a batch, learning takes several times as long.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/300w.py',
    '../_base_/schedules/adamw_cosine.py',
    '../_base_/models/regression.py',
    '../_base_/augmentation_mild.py',
]

padding = 1.25
codec = dict(type='FaceRegressionLabel', input_size=(128, 128), unit='pixel')
model = dict(
    backbone=dict(type='YinNet', hidden_norm_eval=True),
    head=dict(in_channels=1024, decoder=codec, init_cfg=dict(type='Normal', layer='Linear', std=0.01, bias=64)),
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
train_cfg = dict(max_epochs=70)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=2, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=2, T_max=68, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
