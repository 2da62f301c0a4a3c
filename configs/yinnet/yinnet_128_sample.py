# What tools/quickstart.sh trains: YinNet on the drawn sample data (or a folder like it), for minutes rather than hours.
# In so few epochs gentle augmentation learns most.
_base_ = ['yinnet_128_300w.py']

data_root = '{{$FACEALIGN_DATA:data}}/300w/'
epochs = 30
train_cfg = dict(max_epochs=epochs, val_interval=5)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=1, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, T_max=epochs - 1, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]

train_pipeline = [
    dict(type='LoadFaceImage', cache_mib=768),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFaceFlip', direction='horizontal'),
    dict(
        type='RandomFaceBox',
        shift_factor=0.05,
        shift_prob=0.8,
        scale_factor=(0.9, 1.1),
        scale_prob=0.8,
        rotate_factor=30,
        rotate_prob=0.5,
    ),
    dict(type='TopdownAffine', input_size=_base_.codec['input_size']),
    dict(type='FacePhotometricDistortion'),
    dict(type='GenerateTarget', encoder=_base_.codec),
    dict(type='PackFaceInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
test_evaluator = dict(
    metrics=[
        dict(type='FaceAlignmentMetric', name='YinNet'),
        dict(type='DlibBaseline', data_root=data_root),
        dict(type='MeanShapeBaseline', ann_file=data_root + 'train.json'),
    ]
)
