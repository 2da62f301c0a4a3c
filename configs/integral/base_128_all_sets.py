# The base model on five times the faces, from base_128_joint.py's weights: 300W's fit part and Datatang's train part
# three times an epoch, four sets of other schemes (300W's 68 points; weight 0 where they were not placed by hand) and
# unlabelled faces with base68's own points (tools/pseudo_label.py) once. Validated as base_128_joint.py is.
_base_ = ['base_128_joint.py']

_more = dict(
    type='FaceDataset',
    ann_file='train.json',
    markup='ibug68',
    among='ibug68+datatang106',
    box='landmarks',
    pipeline=_base_.train_pipeline,
)
_root = '{{$FACEALIGN_DATA:data}}/'
train_dataloader = dict(
    dataset=dict(
        datasets=[
            *3 * _base_.train_dataloader.dataset.datasets,
            *[dict(data_root=f'{_root}{name}/', **_more) for name in ('scut', 'muct', 'fgnet', 'london', 'unlabelled')],
        ]
    )
)
load_from = 'docs/results/weights/base_128_joint_fp16.pth'
train_cfg = dict(max_epochs=10, val_interval=1)
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=1, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, T_max=9, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
