# The second part of the base model: base_128_joint.py's network and weights, trained on as the lite one is.
_base_ = ['lite_128_completed.py']

model = dict(
    backbone=dict(channels=(32, 64, 160, 320), merged=152, smooth='block'),
    head=dict(in_channels=152),
)
load_from = 'docs/results/weights/base_128_joint_fp16.pth'
train_cfg = dict(max_epochs=100)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=2, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=2, T_max=98, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
