# ResNet18 at its own 224 pixels, second part: goes on from what resnet18_128_300w.py trained; its unit, a hundredth of
# the crop, is the same at both sizes.
_base_ = ['resnet18_128_300w.py']

codec = dict(_base_.codec, input_size=(224, 224))
sized = dict(TopdownAffine=dict(input_size=codec['input_size']), GenerateTarget=dict(encoder=codec))
train_pipeline = [dict(step, **sized.get(step['type'], {})) for step in _base_.train_pipeline]
test_pipeline = [dict(step, **sized.get(step['type'], {})) for step in _base_.test_pipeline]
model = dict(head=dict(decoder=codec))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
load_from = 'work_dirs/resnet18_128_300w/epoch_30.pth'
train_cfg = dict(max_epochs=20)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=1, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, T_max=19, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
