# Every face has both markups' points: those of its annotation, the others by tools/complete_points.py, which makes the
# files named below from data/300w/fit.json and data/datatang106/train.json.
_base_ = ['baseline.py']

both = dict(type='FaceDataset', markup='ibug68+datatang106', box='landmarks', pipeline=_base_.train_pipeline)
train_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(data_root=_base_.root_300w, ann_file='fit_completed.json', **both),
            dict(data_root=_base_.root_datatang, ann_file='train_completed.json', **both),
        ]
    )
)
