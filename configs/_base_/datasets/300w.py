# 300W, official split: fit and val are parts of train, by photo; test holds every official test set.
# Crops and boxes from the landmark rectangle.
data_root = '{{$FACEALIGN_DATA:data}}/300w/'

_dataset = dict(type='FaceDataset', data_root=data_root, markup='ibug68', box='landmarks')
train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type='SeededSampler', shuffle=True),
    dataset=dict(ann_file='fit.json', **_dataset),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(ann_file='val.json', test_mode=True, **_dataset),
)
test_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(ann_file='test.json', test_mode=True, **_dataset),
)
val_cfg = dict()
test_cfg = dict()
val_evaluator = dict(type='FaceAlignmentMetric')
metrics = [dict(type='FaceAlignmentMetric'), dict(type='DlibBaseline', data_root=data_root)]
pfld = '{{$FACEALIGN_PFLD:none}}'
if pfld != 'none':  # a published PFLD (68 points, 112 pixels) in ONNX, as one more row
    metrics.append(dict(type='OnnxBaseline', model=pfld, name='PFLD'))
test_evaluator = dict(type='FaceEvaluator', metrics=metrics)
