# STAR (Zhou et al., 2023): errors along the axes of a point's map, in its deviations.
_base_ = ['longer.py']

model = dict(head=dict(type='StarIntegralHead'))
