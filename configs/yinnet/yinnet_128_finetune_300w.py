# The second part of YinNet's training: milder augmentation, from the best weights of yinnet_128_300w.py.
#   python tools/train.py configs/yinnet/yinnet_128_finetune_300w.py --amp --cfg-options load_from=CHECKPOINT
_base_ = ['yinnet_128_300w.py']

train_pipeline = [
    dict(type='LoadFaceImage', cache_mib=2048),
    dict(type='RandomPhotoEdge', prob=0.1),
    dict(type='GetBBoxCenterScale', padding=_base_.padding),
    dict(type='RandomFlip', direction='horizontal'),
    dict(
        type='RandomBBoxTransform',
        shift_factor=0.05,
        shift_prob=0.8,
        scale_factor=(0.9, 1.12),
        scale_prob=0.8,
        rotate_factor=25,
        rotate_prob=0.6,
    ),
    dict(type='TopdownAffine', input_size=_base_.codec.input_size),
    dict(type='PhotometricDistortion', brightness_delta=24, contrast_range=(0.7, 1.3), saturation_range=(0.7, 1.3)),
    dict(type='RandomGrayscale', prob=0.1, keep_channels=True),
    dict(type='RandomPhoto', gamma=0.1, blur=0.1, shrink=0.05, noise=0.05, jpeg=0.05),
    dict(type='RandomOcclusion', prob=0.2, max_size=0.35),
    dict(type='GenerateTarget', encoder=_base_.codec),
    dict(type='PackFaceInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

train_cfg = dict(max_epochs=80)
optim_wrapper = dict(optimizer=dict(lr=7e-4))
param_scheduler = [
    dict(type='LinearLR', begin=0, end=1, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, T_max=79, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
