# The baseline of docs/results/runs.md's second table: the lite network trained on from where lite_128_joint.py ends.
_base_ = ['wider.py']

load_from = 'docs/results/weights/lite_wider_joint_fp16.pth'
train_cfg = dict(max_epochs=20)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=1, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, T_max=19, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
