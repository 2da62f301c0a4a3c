# The reference's ResNet18 baseline: the trunk stays as ImageNet left it, only the last layer learns.
_base_ = ['resnet18_reference_finetuned_300w.py']
model = dict(backbone=dict(frozen_stages=4))
