# YinNet on the VisionLabs pack: its own split, its detector boxes, which crop the faces and normalise the errors.
# The pack's training part holds official test photos: never mix the two splits.
_base_ = ['yinnet_reference_300w.py']

data_root = '{{$FACEALIGN_DATA:data}}/300w_pack_85_15/'
pack = dict(data_root=data_root, box='detector')
train_dataloader = dict(dataset=pack)
val_dataloader = dict(dataset=pack)
test_dataloader = dict(dataset=pack)
test_evaluator = dict(
    metrics=[
        dict(type='FaceAlignmentMetric', normaliser='bbox'),
        dict(type='DlibBaseline', data_root=data_root, normaliser='bbox'),
    ]
)
