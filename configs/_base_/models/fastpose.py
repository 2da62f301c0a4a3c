# FastPose at 106 points: SE-ResNet-101 with four gates, PixelShuffle, two DUC blocks; 256 pixels in, 64 cells out.
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='FaceDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    # ImageNet weights are the user's file: init_cfg=dict(type='Pretrained', checkpoint='resnet101-….pth').
    backbone=dict(type='FirstBlockSEResNet', depth=101),
    head=dict(
        type='DUCHead', in_channels=2048, out_channels=106, loss=dict(type='KeypointMSELoss', use_target_weight=True)
    ),
    train_cfg=dict(compute_acc=False),
    test_cfg=dict(flip_test=False),
)
