# The base model as shipped: trained on as the lite one, its own flip test as teacher.
_base_ = ['lite_128_last.py']

model = dict(
    backbone=dict(channels=(32, 64, 160, 320), merged=152, smooth='block'),
    head=dict(in_channels=152),
)
load_from = 'docs/results/weights/base_128_completed_fp16.pth'
train_cfg = dict(max_epochs=36)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=1, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, T_max=35, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
