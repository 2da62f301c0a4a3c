# Between augmentation.py and augmentation_mild.py: for long trainings of networks that read points from maps.
load_train = [dict(type='LoadFaceImage', cache_mib=768), dict(type='RandomPhotoEdge', prob=0.12)]
load_test = [dict(type='LoadFaceImage', cache_mib=512)]
augment_box = [
    dict(type='RandomFaceFlip', direction='horizontal'),
    dict(
        type='RandomFaceBox',
        shift_factor=0.08,
        shift_prob=0.8,
        scale_factor=(0.85, 1.18),
        scale_prob=0.8,
        rotate_factor=40,
        rotate_prob=0.6,
    ),
]
augment_crop = [
    dict(type='FacePhotometricDistortion', brightness_delta=28, contrast_range=(0.6, 1.4), saturation_range=(0.6, 1.4)),
    dict(type='RandomGrayscale', prob=0.12, keep_channels=True),
    dict(type='RandomPhoto', gamma=0.15, blur=0.12, shrink=0.1, noise=0.08, jpeg=0.08),
    dict(type='RandomOcclusion', prob=0.3, max_size=0.4),
]
