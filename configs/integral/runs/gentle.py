# Boxes that are off by a third of the usual, and turned half as much.
_base_ = ['longer.py']

gentle = dict(shift_factor=0.03, scale_factor=(0.95, 1.06), rotate_factor=20, rotate_prob=0.5)
gentle_pipeline = [dict(step, **gentle) if step['type'] == 'RandomFaceBox' else step for step in _base_.train_pipeline]
train_dataloader = dict(
    dataset=dict(datasets=[dict(part, pipeline=gentle_pipeline) for part in _base_.train_dataloader.dataset.datasets])
)
