# Milder than augmentation.py: for regressors from a feature vector, and for starting from trained weights.
load_train = [dict(type='LoadFaceImage', cache_mib=768), dict(type='RandomPhotoEdge', prob=0.1)]
load_test = [dict(type='LoadFaceImage', cache_mib=512)]
augment_box = [
    dict(type='RandomFaceFlip', direction='horizontal'),
    dict(
        type='RandomFaceBox',
        shift_factor=0.05,
        shift_prob=0.8,
        scale_factor=(0.9, 1.12),
        scale_prob=0.8,
        rotate_factor=25,
        rotate_prob=0.6,
    ),
]
augment_crop = [
    dict(type='FacePhotometricDistortion', brightness_delta=24, contrast_range=(0.7, 1.3), saturation_range=(0.7, 1.3)),
    dict(type='RandomGrayscale', prob=0.1, keep_channels=True),
    dict(type='RandomPhoto', gamma=0.1, blur=0.1, shrink=0.05, noise=0.05, jpeg=0.05),
    dict(type='RandomOcclusion', prob=0.2, max_size=0.35),
]
