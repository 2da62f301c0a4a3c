# The second part of YinNet's training: milder augmentation, from the best weights of yinnet_128_300w.py.
#   python tools/train.py configs/yinnet/yinnet_128_finetune_300w.py --amp --cfg-options load_from=CHECKPOINT
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/300w.py',
    '../_base_/schedules/adamw_cosine.py',
    '../_base_/models/regression.py',
    '../_base_/augmentation_mild.py',
]

padding = 1.25
codec = dict(type='FaceRegressionLabel', input_size=(128, 128), unit='pixel')
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

train_cfg = dict(max_epochs=80)
optim_wrapper = dict(optimizer=dict(lr=7e-4))
param_scheduler = [
    dict(type='LinearLR', begin=0, end=1, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, T_max=79, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
