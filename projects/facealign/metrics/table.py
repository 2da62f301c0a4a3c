"""All measures of a set of faces, as one JSON-ready dictionary; every table and file is made from it.

    faces, undetected
    normalisers/NAME/{mean,median,p90,p95,p99}, …/auc/T, …/fr/T
    mpd (pixels), ppr/N (share of points closer than N pixels)
    regions/NAME/…, visibility/{visible,invisible}/…, attributes/NAME/VALUE/…
        each with nme/NORMALISER, auc/T, fr/T, mpd, ppr/N
    points: for each point its name, nme and mpd

Each number is ``{"value", "low", "high"}``, low and high the ends of its 95 %
interval: of FR Clopper and Pearson's, else the bootstrap's over faces. A
quantile of too few faces for one has null there, and a ``note``. Means and MPD
are over the faces that have one: ``undetected`` faces have an infinite error,
which AUC, FR, PPR and the quantiles count in full.
``auc`` and ``fr`` outside ``normalisers`` use the main one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from facealign import metrics as F
from facealign.markup import Markup
from facealign.metrics.errors import distance_sums, relative_errors
from facealign.metrics.faces import Faces
from facealign.metrics.shares import Kind, Ratios, json_number

PPR_LIMITS = tuple(range(1, 11))
QUANTILES = {'median': 0.5, 'p90': 0.9, 'p95': 0.95, 'p99': 0.99}
UNIONS = {'full': ('common', 'challenge'), 'joint': ('300w', 'menpo')}
TO_CURVE = 'contour_to_curve'
_LEAST_COVERAGE = 0.9  # of a quantile's interval, which is to hold the true value 95 times of 100
_KINDS: dict[str, Kind] = {'fr': 'faces', 'ppr': 'points'}
_MOST_VALUES = 12  # an attribute with more values, such as a name, makes no table


class ErrorTable:
    """Every face's errors, computed once for all its subsets.

    Attributes:
        errors: [N, K] pixels (see :func:`facealign.metrics.point_errors`).
        to_curve: [N, P] pixels of the contour's points to the annotated contour; None without a contour line.
        sizes: normaliser → [N] pixels; only those that these faces have.
    """

    def __init__(self, faces: Faces, markup: Markup) -> None:
        self.faces, self.markup = faces, markup
        predictions = faces.scored
        self.errors = F.point_errors(predictions, faces.points)
        line = contour_line(markup)
        self.to_curve = None
        if line is not None:
            self.to_curve = F.point_to_curve(predictions[:, line], faces.points[:, line])
            # A point without annotation is left out here as everywhere.
            self.to_curve[np.isnan(self.errors[:, line])] = np.nan
        boxed = ~np.isnan(faces.face_boxes).all()
        sized = ~np.isnan(faces.image_sizes).all()
        self.sizes = F.normalisers(
            faces.points, markup, faces.face_boxes if boxed else None, faces.image_sizes if sized else None
        )

    def face_errors(self, normaliser: str) -> np.ndarray:
        """[N] fraction; see :func:`facealign.metrics.face_errors`."""
        return F.face_errors(self.errors, self.sizes[normaliser])

    def undetected(self) -> np.ndarray:
        """[N] bool: nothing was predicted, or the detector had found no face."""
        return np.isinf(self.errors).any(axis=1)

    def point_groups(self) -> dict[tuple[str, str], np.ndarray]:
        """('regions' or 'visibility', name) → errors [N, P] of those points."""
        groups = {('regions', name): self.errors[:, list(points)] for name, points in self.markup.regions.items()}
        if self.to_curve is not None:
            groups['regions', TO_CURVE] = self.to_curve
        if (self.faces.visibility == 1).any():
            for name, value in (('visible', 2), ('invisible', 1)):
                groups['visibility', name] = np.where(self.faces.visibility == value, self.errors, np.float32(np.nan))
        return groups


def contour_line(markup: Markup) -> list[int] | None:
    """The points of the contour in their order along it."""
    contour = set(markup.regions.get('contour', ()))
    return next((list(line) for line in markup.polylines if set(line) <= contour), None)


def subset_masks(subsets: np.ndarray, unions: Mapping[str, Sequence[str]] = UNIONS) -> dict[str, np.ndarray]:
    """Name → [N] bool: every subset there is, the unions of which all parts are there, and ``all`` where it is more.

    >>> list(subset_masks(np.array(['common', 'challenge', 'private'])))
    ['challenge', 'common', 'private', 'full', 'all']
    >>> list(subset_masks(np.array(['common', 'common']))), list(subset_masks(np.array(['', ''])))
    (['common'], ['all'])
    """
    names = sorted(set(subsets.tolist()) - {''})
    masks = {name: subsets == name for name in names}
    masks.update({name: np.isin(subsets, list(parts)) for name, parts in unions.items() if set(parts) <= set(names)})
    if not any(mask.all() for mask in masks.values()):
        masks['all'] = np.ones(len(subsets), bool)
    return masks


def measure(
    table: ErrorTable,
    mask: np.ndarray | None = None,
    normaliser: str = 'landmark_bbox',
    thresholds: Sequence[float] = (0.08, 1.0),
    resamples: int = 0,
) -> dict[str, Any]:
    """The measures of the faces in ``mask`` (None: all), as the module describes.

    Args:
        table: of all faces.
        mask: [N] bool.
        normaliser: the main one, for AUC and FR; a key of ``table.sizes``.
        thresholds: of AUC and FR, fractions of the normaliser.
        resamples: of the bootstrap; 0 leaves the intervals out.
    """
    mask = np.ones(len(table.faces), bool) if mask is None else mask
    errors, sizes = table.errors[mask], {name: size[mask] for name, size in table.sizes.items()}
    ratios = Ratios(len(errors))
    groups = {path: group[mask] for path, group in table.point_groups().items()}
    whole = _columns(errors, sizes, normaliser, thresholds)
    by_normaliser = {name: F.face_errors(errors, size) for name, size in sizes.items()}
    for path, above, below in whole:
        if path[0] in ('mpd', 'ppr'):
            ratios.add(path, above, below, kind=_kind(path))
    for name, relative in by_normaliser.items():
        ratios.add_mean(('normalisers', name, 'mean'), relative)
        for path, above, below in _threshold_columns(relative, thresholds):
            ratios.add(('normalisers', name, *path), above, below, kind=_kind(path))
    for prefix, group in groups.items():
        for path, above, below in _columns(group, sizes, normaliser, thresholds):
            ratios.add((*prefix, *path), above, below, interval=path[0] != 'ppr', kind=_kind(path))
    counts = _add_attributes(ratios, whole, [a for a, kept in zip(table.faces.attributes, mask) if kept])
    for k, name in enumerate(table.markup.keypoint_names):
        ratios.add_mean(
            ('points', name, 'nme'), relative_errors(errors[:, k], ~np.isnan(errors[:, k]), sizes[normaliser])
        )
        ratios.add_mean(('points', name, 'mpd'), errors[:, k], interval=False)

    result = dict(faces=len(errors), undetected=int(np.isinf(errors).any(axis=1).sum()), **ratios.compute(resamples))
    for name, relative in by_normaliser.items():
        result['normalisers'][name].update(_quantiles(relative, resamples > 0))
    for (kind, name), group in groups.items():
        result[kind][name]['points'] = int(np.count_nonzero(~np.isnan(group)))
    for (attribute, value), count in counts.items():
        result['attributes'][attribute][value]['faces'] = count
    return result


_Column = tuple[tuple[str, ...], np.ndarray, 'np.ndarray | None']


def _columns(
    errors: np.ndarray, sizes: dict[str, np.ndarray], normaliser: str, thresholds: Sequence[float]
) -> list[_Column]:
    """What is summed over faces for the points of ``errors`` [N, P]: paths, sums above, sums below."""
    columns: list[_Column] = []
    total, count = distance_sums(errors)
    for name, size in sizes.items():
        relative = relative_errors(total, count, size)
        finite = np.isfinite(relative)
        columns.append((('nme', name), np.where(finite, relative, 0), finite))
        if name == normaliser:
            columns += _threshold_columns(relative, thresholds)
    predicted = np.isfinite(total)
    columns.append((('mpd',), np.where(predicted, total, 0), np.where(predicted, count, 0)))
    columns += [(('ppr', str(limit)), F.points_within(errors, limit), count) for limit in PPR_LIMITS]
    return columns


def _threshold_columns(relative: np.ndarray, thresholds: Sequence[float]) -> list[_Column]:
    known = ~np.isnan(relative)
    below = None if known.all() else known
    columns: list[_Column] = []
    for t in thresholds:
        area = np.maximum(0, t - np.where(known, relative, np.inf)) / t
        columns.append((('auc', f'{t:g}'), area, below))
        columns.append((('fr', f'{t:g}'), relative > t, below))
    return columns


def _add_attributes(ratios: Ratios, whole: list[_Column], attributes: list[dict]) -> dict[tuple[str, str], int]:
    """The columns of all points again for each value of each attribute; returns how many faces bear it."""
    counts: dict[tuple[str, str], int] = {}
    for name in sorted({name for face in attributes for name in face}):
        values = np.array([str(face.get(name, '')) for face in attributes])
        shown = sorted(set(values.tolist()) - {''})
        if len(shown) > _MOST_VALUES:
            continue
        for value in shown:
            bears = values == value
            counts[name, value] = int(bears.sum())
            for path, above, below in whole:
                limited = bears if below is None else below * bears
                ratios.add(('attributes', name, value, *path), above * bears, limited, path[0] != 'ppr', _kind(path))
    return counts


def _kind(path: tuple[str, ...]) -> Kind:
    return _KINDS.get(path[0], 'mean')


def _quantiles(relative: np.ndarray, interval: bool) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, q in QUANTILES.items():
        found[name] = {'value': json_number(F.quantile(relative, q))}
        if interval:
            found[name].update(quantile_ends(relative, q))
    return found


def quantile_ends(relative: np.ndarray, q: float) -> dict[str, Any]:
    """Its ends, or why there are none."""
    n = int(np.count_nonzero(~np.isnan(relative)))
    coverage = F.quantile_coverage(n, q)
    if coverage < _LEAST_COVERAGE:
        return dict(low=None, high=None, note=f'{n} faces are too few for an interval: it would cover {coverage:.0%}')
    low, high = F.quantile_interval(relative, q)
    return dict(low=json_number(low), high=json_number(high))


def flat_metrics(measured: dict[str, Any], normaliser: str = 'landmark_bbox') -> dict[str, float]:
    """The leading numbers of :func:`measure` by MMEngine-style keys, fractions and pixels.

    ``auc@T``, ``fr@T``, ``nme_NORMALISER``, ``mpd``, ``ppr@N``; a number that
    does not exist (no face detected) is NaN.
    """
    main = measured['normalisers'][normaliser]
    flat = {f'{kind}@{t}': leaf for kind in ('auc', 'fr') for t, leaf in main[kind].items()}
    flat.update({f'nme_{name}': entry['mean'] for name, entry in measured['normalisers'].items()})
    flat['mpd'] = measured['mpd']
    flat.update({f'ppr@{limit}': leaf for limit, leaf in measured['ppr'].items()})
    return {key: np.nan if leaf['value'] is None else float(leaf['value']) for key, leaf in flat.items()}
