# ResNet18 as the reference fine-tunes it, from ImageNet weights: raw box, pixel MSE, colour jitter only.
# Left out, as bugs: inputs normalised in training only, boxes clipped to the image, jitter on validation images.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/300w_85_15.py',
    '../_base_/schedules/adam_step.py',
    '../_base_/models/regression.py',
    '../_base_/reference_jitter.py',
]

codec = dict(type='FaceRegressionLabel', input_size=(224, 224), unit='pixel')
model = dict(
    # ImageNet weights are the user's file: torchvision's resnet18-*.pth.
    backbone=dict(
        type='ResNet', depth=18, init_cfg=dict(type='Pretrained', checkpoint='{{$FACEALIGN_RESNET18:resnet18.pth}}')
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(in_channels=512, decoder=codec, loss=dict(type='MSELoss'), init_cfg=[]),
)

train_pipeline = [
    dict(type='LoadFaceImage', cache_mib=768),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownAffine', input_size=codec['input_size']),
    *_base_.jitter,
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackFaceInputs'),
]
test_pipeline = [
    dict(type='LoadFaceImage', cache_mib=512),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='PackFaceInputs'),
]
train_dataloader = dict(batch_size=64, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
