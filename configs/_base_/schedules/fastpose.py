# AdamW, two epochs of warm-up, cosine to nearly nothing; the averaged weights are what is validated and kept.
_base_ = ['adamw_cosine.py']
optim_wrapper = dict(optimizer=dict(lr=5e-4))
