# The fixed baseline of docs/results/runs.md: the lite model, 30 epochs. Every other file here changes one thing.
_base_ = ['wider.py']

train_cfg = dict(max_epochs=30)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=2, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=2, T_max=28, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
