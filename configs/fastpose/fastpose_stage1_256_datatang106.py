# FastPose trained as well as we can, first stage: targets between cells, one affine for pixels and points, invisible
# points at half weight, augmentation of geometry and photo, EMA.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/datasets/datatang106.py',
    '../_base_/schedules/fastpose.py',
    '../_base_/models/fastpose.py',
    '../_base_/augmentation.py',
]

padding = 1.25
codec = dict(type='SubcellHeatmap', input_size=(256, 256), heatmap_size=(64, 64), sigma=2.0)
model = dict(head=dict(decoder=codec))

crop_train = [
    dict(type='GetBBoxCenterScale', padding=padding),
    *_base_.augment_box,
    dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=True),
    *_base_.augment_crop,
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackFaceInputs'),
]
# No images are kept in memory: the full set has 112,663.
load_train = [dict(type='LoadFaceImage'), dict(type='RandomPhotoEdge'), dict(type='VisibilityWeight')]
train_pipeline = [*load_train, *crop_train]
test_pipeline = [
    dict(type='LoadFaceImage'),
    dict(type='GetBBoxCenterScale', padding=padding),
    dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=True),
    dict(type='PackFaceInputs'),
]
train_dataloader = dict(num_workers=4, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(num_workers=4, dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(num_workers=4, dataset=dict(pipeline=test_pipeline))
