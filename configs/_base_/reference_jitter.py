# The reference's colour jitter (0.3, 0.3, 0.3, hue 0.1) in MMPose's terms; its step also swaps channels now and then.
jitter = [
    dict(
        type='FacePhotometricDistortion',
        brightness_delta=38,
        contrast_range=(0.7, 1.3),
        saturation_range=(0.7, 1.3),
        hue_delta=18,
    )
]
