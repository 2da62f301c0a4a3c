"""A markup inferred from annotated faces: how many points there are, and which change places in a mirrored face."""

from __future__ import annotations

import hashlib

import numpy as np

from facealign.markup import Markup
from facealign.shapes import align, mean_shape, normalised

# Mean distance of a mean face's points from their mirror partners, in root mean square radii.
_LARGEST_ASYMMETRY = 0.25
_MOST_FACES = 300  # that are compared point by point
_TILTS = np.radians(np.arange(-32, 33, 4))  # of the axis, tried
_LARGEST_TILT = np.radians(40)


def infer_markup(points: np.ndarray) -> Markup:
    """The markup of faces [N, K, 2] (pixels, NaN where not annotated) of which no more is known.

    Points are named ``p0`` …; mirror pairs are those that fall on each other
    when the faces are mirrored about their axis. There are no outlines, and of
    the normalisers only those by box. The name tells the number of points and,
    by a digest, the pairs, so that the same name is the same markup.

    Raises:
        ValueError: no two halves: the points cover one side of a face, or the faces are turned to one side.
    """
    partners = mirror_partners(np.stack([normalised(face) for face in points]))
    pairs = tuple((i, int(j)) for i, j in enumerate(partners) if i < j)
    count = len(partners)
    return Markup(
        name=f'points{count}-{hashlib.sha256(repr(pairs).encode()).hexdigest()[:6]}',
        keypoint_names=tuple(f'p{i}' for i in range(count)),
        flip_pairs=pairs,
        regions={'all_points': tuple(range(count))},
        polylines=(),
        outer_eye_corners=None,
        pupils=None,
    )


def mirror_partners(shapes: np.ndarray) -> np.ndarray:
    """For each point of upright shapes [N, K] (complex) the point that its mirror image falls on, [K] int.

    Two points are partners where one lies, face by face and on the mean, close
    to the mirror image of the other: the mean face alone would not tell the
    upper from the lower lip of mouths that are mostly shut.

    Raises:
        ValueError: as :func:`infer_markup`.
    """
    mean = mean_shape(shapes)
    turn, shift = _axis(mean)
    mean = mean * turn - shift
    faces = align(shapes[:: max(1, len(shapes) // _MOST_FACES)], mean)[0]
    costs = _mirror_distances(mean) + np.nanmean([_mirror_distances(face) for face in faces], axis=0)
    costs = np.nan_to_num(costs, nan=1e3)  # points that no face has both of
    partners = _exchange_partners(_pair_greedily(costs), costs)
    asymmetry = float(np.nanmean(np.abs(mean + np.conj(mean[partners]))))
    if not asymmetry < _LARGEST_ASYMMETRY:
        raise ValueError(f'the {len(mean)} points do not form two mirrored halves, so that mirror pairs are not known')
    return partners


def _axis(mean: np.ndarray) -> tuple[complex, float]:
    """The turn (e^iφ) and the shift to the left that put the axis of a mean shape [K] upright at x = 0.

    The pairs follow from the axis, and the axis from the pairs; begun from
    several tilts, because a contour paired off by one point is stable too.
    """
    best = (np.inf, 1 + 0j, 0.0)
    for tilt in _TILTS:
        turn, shift = np.exp(1j * tilt), 0.0
        for _ in range(5):
            upright = mean * turn - shift
            partners = _pair_greedily(np.nan_to_num(_mirror_distances(upright), nan=1e3))
            across = upright[partners] - upright
            total = np.nansum(np.where(across.real < 0, -across, across))
            turn = turn * np.exp(-1j * np.angle(total)) if abs(total) > 1e-9 else turn
            shift = float(np.nanmean((mean * turn).real))
        upright = mean * turn - shift
        asymmetry = float(np.nanmean(np.abs(upright + np.conj(upright[partners]))))
        if abs(np.angle(turn)) > _LARGEST_TILT:
            continue  # such as half a contour about its own middle
        best = min(best, (asymmetry, complex(turn), shift), key=lambda found: found[0])
    return best[1], best[2]


def _mirror_distances(shape: np.ndarray) -> np.ndarray:
    """[K, K] of each point from the mirror image, about x = 0, of each other."""
    return np.abs(shape[:, None] + np.conj(shape)[None])


def _pair_greedily(costs: np.ndarray) -> np.ndarray:
    """Partners [K] with partners[partners] = identity, the cheapest of the symmetric ``costs`` [K, K] first."""
    rows, columns = np.triu_indices(len(costs))
    partners = np.full(len(costs), -1)
    for k in np.argsort(costs[rows, columns], kind='stable').tolist():
        i, j = rows[k], columns[k]
        if partners[i] < 0 and partners[j] < 0:
            partners[i], partners[j] = j, i
    return partners


def _exchange_partners(partners: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """``partners`` with partners exchanged while that lowers the sum of their costs."""
    improved = True
    while improved:
        improved = False
        for a in range(len(costs)):
            for b in range(a + 1, len(costs)):
                improved |= _exchange(partners, costs, a, b)
    return partners


def _exchange(partners: np.ndarray, costs: np.ndarray, a: int, b: int) -> bool:
    """Make ``a`` and ``b`` partners, and their partners each other's, or part them, where that costs less."""
    old_a, old_b = int(partners[a]), int(partners[b])
    if old_a == b:
        if costs[a, a] + costs[b, b] < 2 * costs[a, b] - 1e-12:
            partners[a], partners[b] = a, b
            return True
        return False
    involved = {a, b, old_a, old_b}
    rest = sorted(involved - {a, b})
    before = sum(costs[i, partners[i]] for i in involved)
    after = 2 * costs[a, b] + (2 * costs[rest[0], rest[1]] if len(rest) == 2 else sum(costs[i, i] for i in rest))
    if after >= before - 1e-12:
        return False
    partners[a], partners[b] = b, a
    for i, j in zip(rest, reversed(rest)):
        partners[i] = j
    return True
