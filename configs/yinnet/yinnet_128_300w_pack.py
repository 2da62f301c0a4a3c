# YinNet on the VisionLabs pack: its own split, its detector boxes, which crop the faces and normalise the errors.
# The pack's training part holds official test photos: never mix the two splits.
_base_ = ['yinnet_128_300w.py']

data_root = '{{$FACEALIGN_DATA:data}}/300w_pack/'
pack = dict(data_root=data_root, box='detector')
train_dataloader = dict(dataset=pack)
val_dataloader = dict(dataset=pack)
test_dataloader = dict(dataset=pack)
train_cfg = dict(max_epochs=110)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=2, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=2, T_max=108, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
test_evaluator = dict(
    metrics=[
        dict(type='FaceAlignmentMetric', normaliser='bbox'),
        dict(type='DlibBaseline', data_root=data_root, normaliser='bbox'),
    ]
)
