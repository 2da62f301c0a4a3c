# The base model as shipped: base_128_joint.py's network and weights, trained on as the lite one is.
_base_ = ['lite_128_completed.py']

model = dict(
    backbone=dict(channels=(32, 64, 160, 320), merged=152, smooth='block'),
    head=dict(in_channels=152),
)
load_from = 'docs/results/weights/base_128_joint_fp16.pth'
