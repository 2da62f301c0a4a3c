# SimCC (Li et al., 2022) for the maps' expectation: each point a bin of half a pixel along x and one along y. MMPose's
# head with RTMPose's loss, of 300W's points alone: to compare with without_datatang.py.
_base_ = ['without_datatang.py']

codec = dict(
    type='SimCCLabel', input_size=(128, 128), sigma=4.0, simcc_split_ratio=2.0, normalize=False, use_dark=False
)
model = dict(
    head=dict(
        _delete_=True,
        type='SimCCHead',
        in_channels=72,
        out_channels=68,
        input_size=codec['input_size'],
        in_featuremap_size=(16, 16),
        simcc_split_ratio=codec['simcc_split_ratio'],
        deconv_out_channels=None,
        loss=dict(type='KLDiscretLoss', use_target_weight=True, beta=10.0, label_softmax=True),
        decoder=codec,
    )
)
part = dict(type='FaceDataset', data_root=_base_.root_300w, ann_file='fit.json', markup='ibug68', box='landmarks')
train_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(
                part,
                pipeline=[
                    dict(step, encoder=codec) if step['type'] == 'GenerateTarget' else step
                    for step in _base_.train_pipeline
                ],
            )
        ]
    )
)
