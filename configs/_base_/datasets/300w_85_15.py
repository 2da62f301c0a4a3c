# The official split with the reference's 15 % for validation: convert_dataset.py 300w SRC --val random:0.15
_base_ = ['300w.py']
data_root = '{{$FACEALIGN_DATA:data}}/300w_85_15/'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = dict(dataset=dict(data_root=data_root))
