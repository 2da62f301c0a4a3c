# 300W's 68 and Datatang's 106 points in one training; validated and tested on 300W.
_base_ = ['300w.py']
root_300w = '{{$FACEALIGN_DATA:data}}/300w/'
root_datatang = '{{$FACEALIGN_DATA:data}}/datatang106/'
_faces = dict(type='FaceDataset', box='landmarks', among='ibug68+datatang106')
joint_300w = dict(ann_file='fit.json', data_root=root_300w, markup='ibug68', **_faces)
joint_datatang = dict(ann_file='train.json', data_root=root_datatang, markup='datatang106', **_faces)
train_dataloader = dict(dataset=dict(_delete_=True, type='JointFaceDataset', datasets=[joint_300w, joint_datatang]))
