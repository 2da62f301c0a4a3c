# Datatang's 106 points: train, val and test as tools/convert_dataset.py datatang … --split wrote them.
# Crops and boxes from the landmark rectangle.
_base_ = ['300w.py']
data_root = '{{$FACEALIGN_DATA:data}}/datatang106/'
_faces = dict(data_root=data_root, markup='datatang106')
train_dataloader = dict(dataset=dict(ann_file='train.json', **_faces))
val_dataloader = dict(dataset=dict(**_faces))
test_dataloader = dict(dataset=dict(**_faces))
test_evaluator = dict(
    _delete_=True,
    type='FaceEvaluator',
    metrics=[dict(type='FaceAlignmentMetric'), dict(type='DlibBaseline', data_root=data_root)],
)
