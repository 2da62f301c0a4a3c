# A network whose last layer regresses the 68 points; the model's config names the backbone and its width.
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='FaceDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    head=dict(
        type='FaceRegressionHead',
        num_joints=68,
        loss=dict(type='L1Loss', use_target_weight=True),
        init_cfg=dict(type='Normal', layer='Linear', std=0.01, bias=0.5),
    ),
    test_cfg=dict(flip_test=False),
)
