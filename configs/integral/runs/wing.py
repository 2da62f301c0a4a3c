# Wing loss (Feng et al., 2018) for L1; omega 10 and epsilon 2 pixels, in shares of the crop.
_base_ = ['baseline.py']

model = dict(
    head=dict(loss=dict(_delete_=True, type='WingLoss', omega=10 / 128, epsilon=2 / 128, use_target_weight=True))
)
