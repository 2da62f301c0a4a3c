# A residual backbone and points as the expectation of 16 × 16 maps; the model's config names the backbone's widths.
# One head for 68 and 106 points in a row; `points` says which are given in test and export.
codec = dict(type='FaceRegressionLabel', input_size=(128, 128))
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='FaceDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(type='FaceResNet'),
    head=dict(
        type='FaceIntegralHead',
        num_joints=174,
        points=(0, 68),
        in_featuremap_size=(16, 16),
        decoder=codec,
        loss=dict(type='L1Loss', use_target_weight=True),
    ),
    test_cfg=dict(flip_test=False),
)
