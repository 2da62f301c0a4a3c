# The divergence of the maps' marginals (facealign.models.marginals) beside L1.
_base_ = ['baseline.py']

model = dict(head=dict(marginals=1.0))
