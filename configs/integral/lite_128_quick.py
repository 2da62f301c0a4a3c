# The lite network in a quarter of lite_128_joint.py's epochs: from drawn faces' weights, with the loss of the maps'
# marginals. It ends a little lower.
_base_ = ['lite_128_joint.py']

model = dict(head=dict(marginals=1.0))
load_from = 'docs/results/weights/lite_128_drawn_fp16.pth'
train_cfg = dict(max_epochs=60)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=2, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=2, T_max=58, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
