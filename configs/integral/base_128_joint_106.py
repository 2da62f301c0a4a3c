# The 106 points of the base network, tested on Datatang's faces, with the checkpoint that base_128_joint.py trains.
_base_ = ['base_128_joint.py']

root = '{{$FACEALIGN_DATA:data}}/datatang106/'
datatang = dict(data_root=root, markup='datatang106')
model = dict(head=dict(points=(68, 174)))
val_dataloader = dict(dataset=datatang)
test_dataloader = dict(dataset=datatang)
test_evaluator = dict(
    _delete_=True,
    type='FaceEvaluator',
    metrics=[dict(type='FaceAlignmentMetric'), dict(type='DlibBaseline', data_root=root)],
)
