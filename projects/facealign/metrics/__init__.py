"""The field's measures as pure functions: NumPy arrays in, numbers out.

Throughout: N faces, K points, pixels; a point that is not annotated is NaN and
is left out; a face that was not detected has the error ``inf`` and stays in
every denominator. Errors relative to a normaliser are fractions, not percent.
"""

from facealign.metrics.bootstrap import (
    quantile_coverage,
    quantile_interval,
    ratio_intervals,
    share_interval,
)
from facealign.metrics.curves import auc, ced, failure_rate, quantile
from facealign.metrics.errors import (
    face_errors,
    mean_pixel_distance,
    point_errors,
    point_to_curve,
    points_within,
    ppr,
)
from facealign.metrics.normalisers import NORMALISERS, box_size, landmark_boxes, normalisers

__all__ = [
    'NORMALISERS',
    'auc',
    'box_size',
    'ced',
    'face_errors',
    'failure_rate',
    'landmark_boxes',
    'mean_pixel_distance',
    'normalisers',
    'point_errors',
    'point_to_curve',
    'points_within',
    'ppr',
    'quantile',
    'quantile_coverage',
    'quantile_interval',
    'ratio_intervals',
    'share_interval',
]
