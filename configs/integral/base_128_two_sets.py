# The base model as shipped: base_128_all_sets.py's weights, brought back to the points of 300W and Datatang with all
# their training faces, as base_128_last.py does it: boxes off by less, half of each target from its own flip test.
_base_ = ['base_128_last.py']

model = dict(teacher_weights='docs/results/weights/base_128_all_sets_fp16.pth')
load_from = 'docs/results/weights/base_128_all_sets_fp16.pth'
train_cfg = dict(max_epochs=12)
param_scheduler = [
    dict(type='WarmUpLR', begin=0, end=1, start_factor=0.01, by_epoch=True, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=1, T_max=11, eta_min=1e-6, by_epoch=True, convert_to_iter_based=True),
]
