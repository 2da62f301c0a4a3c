# The lite model as shipped: lite_128_completed.py's weights, trained on with boxes that are off by less and with half
# of each target from the base network's flip test.
_base_ = ['lite_128_completed.py']

gentle = dict(shift_factor=0.03, scale_factor=(0.95, 1.06), rotate_factor=20, rotate_prob=0.5)
gentle_pipeline = [dict(step, **gentle) if step['type'] == 'RandomFaceBox' else step for step in _base_.train_pipeline]
train_dataloader = dict(
    dataset=dict(datasets=[dict(part, pipeline=gentle_pipeline) for part in _base_.train_dataloader.dataset.datasets])
)
model = dict(
    type='DistilledPoseEstimator',
    teacher='configs/integral/base_128_joint.py',
    teacher_weights='docs/results/weights/base_128_completed_fp16.pth',
    teacher_flip=True,
    share=0.5,
)
load_from = 'docs/results/weights/lite_128_completed_fp16.pth'
train_cfg = dict(max_epochs=20)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=1, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, T_max=19, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
