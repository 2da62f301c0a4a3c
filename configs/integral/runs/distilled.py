# Half of each target, and all of a point of the other markup, from the base network as base_128_joint.py trains it.
_base_ = ['longer.py']

model = dict(
    type='DistilledPoseEstimator',
    teacher='configs/integral/base_128_joint.py',
    teacher_weights='docs/results/weights/base_128_joint_fp16.pth',
    share=0.5,
)
