# The second part of the lite model: lite_128_joint.py's weights trained on, with the points that
# tools/complete_points.py adds to all training faces by base_128_joint.py's weights. Validation faces are among
# them, so there is no validation; the last epoch is taken.
_base_ = ['lite_128_joint.py']

faces = dict(type='FaceDataset', box='landmarks', markup='ibug68+datatang106', pipeline=_base_.train_pipeline)
datatang = [
    dict(ann_file='train_completed.json', data_root=_base_.root_datatang, **faces),
    dict(ann_file='val_completed.json', data_root=_base_.root_datatang, **faces),
]
train_dataloader = dict(
    dataset=dict(
        # Datatang's faces are a third as many: each comes twice an epoch.
        datasets=[dict(ann_file='train_completed.json', data_root=_base_.root_300w, **faces), *datatang, *datatang],
    )
)
val_cfg = None
val_dataloader = None
val_evaluator = None
default_hooks = dict(checkpoint=dict(save_best=None))
load_from = 'docs/results/weights/lite_128_joint_fp16.pth'
train_cfg = dict(max_epochs=60)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=2, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=2, T_max=58, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
