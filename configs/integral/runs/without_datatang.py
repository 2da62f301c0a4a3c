# 300W's faces alone; the maps of Datatang's points are there and learn nothing.
_base_ = ['baseline.py']

train_dataloader = dict(dataset=dict(datasets=[dict(pipeline=_base_.train_pipeline, **_base_.joint_300w)]))
