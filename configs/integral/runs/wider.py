# The lite network of the runs. lite_128_joint.py's is as accurate and quicker: whole groups of 16 channels.
_base_ = ['../lite_128_joint.py']

model = dict(backbone=dict(channels=(24, 40, 80, 160), merged=72), head=dict(in_channels=72))
