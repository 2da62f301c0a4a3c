# The base model: 0.6 GMAC a face, 68 and 106 points from one network; otherwise trained as the lite one.
_base_ = ['lite_128_joint.py']

model = dict(
    backbone=dict(channels=(32, 64, 160, 320), merged=152, smooth='block'),
    head=dict(in_channels=152),
)
train_cfg = dict(max_epochs=150)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=2, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=2, T_max=148, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
