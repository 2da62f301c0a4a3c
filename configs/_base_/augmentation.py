# The default family's augmentation, in the two places of a pipeline: before the crop and on it.
load_train = [dict(type='LoadFaceImage', cache_mib=768), dict(type='RandomPhotoEdge')]
load_test = [dict(type='LoadFaceImage', cache_mib=512)]
augment_box = [
    dict(type='RandomFaceFlip', direction='horizontal'),
    dict(
        type='RandomFaceBox',
        shift_factor=0.08,
        shift_prob=0.8,
        scale_factor=(0.8, 1.25),
        scale_prob=0.8,
        rotate_factor=50,
        rotate_prob=0.7,
    ),
]
augment_crop = [
    dict(type='FacePhotometricDistortion'),
    dict(type='RandomGrayscale', prob=0.15, keep_channels=True),
    dict(type='RandomPhoto'),
    dict(type='RandomOcclusion'),
]
