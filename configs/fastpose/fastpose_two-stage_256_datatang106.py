# FastPose, both stages in one run: after 150 epochs DPGHook switches DPG on and resets the rate.
_base_ = ['fastpose_stage2-dpg_256_datatang106.py']

load_from = None
first, second = 150, 60
train_cfg = dict(max_epochs=first + second)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=2, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        begin=2,
        end=first,
        T_max=first - 2,
        eta_min=1e-6,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        begin=first,
        end=first + second,
        T_max=second,
        eta_min=1e-6,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
custom_hooks = [*_base_.custom_hooks, dict(type='DPGHook', begin=first, lr=1e-4)]
