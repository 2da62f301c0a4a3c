# Where the lite model begins: on drawn faces (tools/draw_sample_data.py), which nobody's terms bind.
_base_ = ['lite_128_joint.py']

# The maps' marginals make it learn faster.
model = dict(head=dict(marginals=1.0))
root = '{{$FACEALIGN_DATA:data}}/drawn/'
drawn = [
    dict(part, pipeline=_base_.train_pipeline, data_root=root + folder)
    for part, folder in ((_base_.joint_300w, '300w/'), (_base_.joint_datatang, 'datatang106/'))
]
train_dataloader = dict(dataset=dict(datasets=drawn))
val_dataloader = dict(dataset=dict(data_root=root + '300w/'))
test_dataloader = dict(dataset=dict(data_root=root + '300w/'))
test_evaluator = dict(_delete_=True, type='FaceEvaluator', metrics=[dict(type='FaceAlignmentMetric')])
train_cfg = dict(max_epochs=16, val_interval=4)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=1, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, T_max=15, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
