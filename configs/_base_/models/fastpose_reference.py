# The same network with its reference's own input: RGB in 0 … 1 less (0.406, 0.457, 0.480), which are ImageNet's means
# in BGR order, and no deviation. Weights imported from the reference need these numbers.
_base_ = ['fastpose.py']
model = dict(data_preprocessor=dict(mean=[103.53, 116.535, 122.4], std=[255.0, 255.0, 255.0]))
