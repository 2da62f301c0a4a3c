"""Duplicate detection: the same photo of a face under several names, also rescaled, re-encoded, cropped or mirrored.

A perceptual hash with a check. Each face is cut out by its points, small and grey. Cuts whose fine structure
correlates are candidates; a candidate is a duplicate where, laid over the other by an affine map, it has the same
structure everywhere. Two shots of one scene do not: their faces have moved against one another by more than a printed
poster's colours or a JPEG's blocks move anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from facealign.errors import FaceAlignError
from facealign.io.image import read_image
from facealign.utils.parallel import run_parallel

_SIDE = 64  # of a cut, pixels
_HASH_SIDE = 24  # of what candidates are found by
_REACH = 1.5  # half a cut's side, in root mean square distances of the points from their centre
_FEWEST_PIXELS = 0.33  # of the image for each of a cut, along a side: a face of 15 pixels
# Over 300W's 2,566 training and common faces, copies of one photo reach 0.77, 0.935 and 0.6; two shots of one burst are
# at 0.92 and 0.5 at most alike, other faces at 0.90 and 0.9.
_MIN_HASH_CORRELATION = 0.68
_MIN_CORRELATION = 0.93
_MAX_MOVED = 0.65  # pixels of a cut, the median
_MOST_CANDIDATES = 8  # of one face, the best
_ROWS = 1024  # faces compared at a time


@dataclass(frozen=True)
class Fingerprint:
    """What a face is recognised by.

    Attributes:
        cut: [64, 64] uint8, grey.
        density: pixels of the image for each of the cut, along a side; below 1 the cut is an enlargement.
        inside: (x1, y1, x2, y2) of the cut that shows the image, ends exclusive; its rest repeats the image's edge.
    """

    cut: np.ndarray
    density: float
    inside: tuple[int, int, int, int]


@dataclass(frozen=True)
class Duplicate:
    """Two faces, by their place in the sequence, that are one photo.

    ``mirrored`` says that one is the mirror image of the other; ``correlation`` is of their fine structure, at most 1.
    """

    first: int
    second: int
    mirrored: bool
    correlation: float


def fingerprint(image: np.ndarray, points: np.ndarray) -> Fingerprint | None:
    """The fingerprint of a face; None where it is too small for one, or mostly off the image.

    Args:
        image: [H, W, 3] or [H, W], uint8.
        points: [K, 2] pixels, NaN where not annotated; of any markup that covers the face.
    """
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return None
    centre = points.mean(axis=0)
    reach = _REACH * float(np.sqrt(np.square(points - centre).sum(axis=1).mean()))
    density = 2 * reach / _SIDE
    height, width = image.shape[:2]
    x1, y1 = np.clip(np.floor(centre - reach) - 2, 0, [width - 1, height - 1]).astype(int).tolist()
    x2, y2 = np.clip(np.ceil(centre + reach) + 3, 0, [width, height]).astype(int).tolist()
    if density < _FEWEST_PIXELS or x2 <= x1 or y2 <= y1:
        return None
    face = image[y1:y2, x1:x2]
    grey = face if face.ndim == 2 else cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)
    corner = centre - [x1, y1] - density * (_SIDE - 1) / 2  # where the cut's first pixel lies
    if (shrink := int(density)) > 1:
        # Means of whole blocks of pixels; what is left of the scaling is the warp's.
        size = max(1, grey.shape[1] // shrink), max(1, grey.shape[0] // shrink)
        grey = cv2.resize(grey[: size[1] * shrink, : size[0] * shrink], size, interpolation=cv2.INTER_AREA)
        corner = (corner - (shrink - 1) / 2) / shrink
    step = density / max(1, shrink)
    to_grey = np.array([[step, 0, corner[0]], [0, step, corner[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(grey, to_grey, (_SIDE, _SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    first = (np.array([-0.5, -0.5]) - centre) / density + (_SIDE - 1) / 2
    last = (np.array([width, height]) - 0.5 - centre) / density + (_SIDE - 1) / 2
    ends = (*np.ceil(first), *(np.floor(last) + 1))
    left, top, right, bottom = (int(np.clip(end, 0, _SIDE)) for end in ends)
    if (right - left) * (bottom - top) < _SIDE * _SIDE / 4:
        return None  # most of the face lies beyond the image
    return Fingerprint(cut, density, (left, top, right, bottom))


def read_fingerprints(
    images: Sequence[tuple[Path, Sequence[np.ndarray]]], workers: int | None = None
) -> list[list[Fingerprint | None]]:
    """The fingerprints of all faces of all images, on several processes, with a progress bar.

    Args:
        images: the file of each, and its faces' points [K, 2] as :func:`fingerprint` takes them.
        workers: processes; None takes all cores.

    Returns:
        for each image a fingerprint a face; None also where the image cannot be read.
    """
    return run_parallel(_read_one, images, 'looking for duplicates', workers)


def _read_one(job: tuple[Path, Sequence[np.ndarray]]) -> list[Fingerprint | None]:
    path, faces = job
    cv2.setNumThreads(1)
    try:
        image = read_image(path)
    except FaceAlignError:
        return [None] * len(faces)
    return [fingerprint(image, points) for points in faces]


def find_duplicates(
    fingerprints: Sequence[Fingerprint | None], related: Sequence[Hashable | None] | None = None
) -> list[Duplicate]:
    """Pairs of faces that are one photo; of more than two alike, enough pairs to join them.

    Args:
        fingerprints: one a face; None is like no other.
        related: one a face: faces with the same key, other than None, are not
            compared, such as the frames of one video.
    """
    known = [i for i, entry in enumerate(fingerprints) if entry is not None]
    prints = [entry for entry in fingerprints if entry is not None]
    keys = [None if related is None else related[i] for i in known]
    joined = _Groups(len(prints))
    found = []
    for _, a, b, mirrored in sorted(_candidates(prints, keys), reverse=True):
        if joined.find(a) == joined.find(b):
            continue
        verdict = _compare(prints[a], _mirror(prints[b]) if mirrored else prints[b])
        if verdict is not None:
            joined.join(a, b)
            found.append(Duplicate(known[a], known[b], mirrored, round(verdict, 4)))
    return sorted(found, key=lambda pair: (pair.first, pair.second))


def group_duplicates(pairs: Sequence[Duplicate], count: int) -> list[list[int]]:
    """Sets of two and more of ``count`` faces that ``pairs`` join, each sorted."""
    joined = _Groups(count)
    for pair in pairs:
        joined.join(pair.first, pair.second)
    members: dict[int, list[int]] = defaultdict(list)
    for i in sorted({i for pair in pairs for i in (pair.first, pair.second)}):
        members[joined.find(i)].append(i)
    return list(members.values())


class _Groups:
    """Union-find over 0 … count - 1."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def find(self, i: int) -> int:
        while self._parent[i] != i:
            self._parent[i] = i = self._parent[self._parent[i]]
        return i

    def join(self, a: int, b: int) -> None:
        first, second = sorted((self.find(a), self.find(b)))
        self._parent[second] = first


def _candidates(
    prints: Sequence[Fingerprint], keys: Sequence[Hashable | None]
) -> Iterator[tuple[float, int, int, bool]]:
    """(correlation, a, b, mirrored), a < b, of the pairs worth a closer look."""
    if len(prints) < 2:
        return
    hashes = np.stack([_fine_structure(entry.cut.astype(np.float32)) for entry in prints])
    plain = hashes.reshape(len(prints), -1)
    for mirrored, others in ((False, plain), (True, hashes[..., ::-1].reshape(len(prints), -1))):
        for start in range(0, len(prints), _ROWS):
            correlations = plain[start : start + _ROWS] @ others[start:].T
            rows, columns = np.nonzero(np.triu(correlations, k=1) > _MIN_HASH_CORRELATION)
            values = correlations[rows, columns]
            taken: dict[int, int] = defaultdict(int)
            for i in np.argsort(-values, kind='stable').tolist():
                a, b = int(rows[i]) + start, int(columns[i]) + start
                if taken[a] < _MOST_CANDIDATES and (keys[a] is None or keys[a] != keys[b]):
                    taken[a] += 1
                    yield float(values[i]), a, b, mirrored


def _fine_structure(cut: np.ndarray) -> np.ndarray:
    """[24, 24], mean 0 and length 1: a cut without its light and shade."""
    small = cv2.resize(cut, (_HASH_SIDE, _HASH_SIDE), interpolation=cv2.INTER_AREA)
    small -= cv2.GaussianBlur(small, (0, 0), 3)
    small -= small.mean()
    return small / (np.linalg.norm(small) + 1e-6)


def _mirror(entry: Fingerprint) -> Fingerprint:
    x1, y1, x2, y2 = entry.inside
    return Fingerprint(np.ascontiguousarray(entry.cut[:, ::-1]), entry.density, (_SIDE - x2, y1, _SIDE - x1, y2))


def _compare(a: Fingerprint, b: Fingerprint) -> float | None:
    """The correlation of two cuts where they are one photo, otherwise None."""
    blur = max(1.0, 0.7 / min(a.density, b.density))  # as unsharp as the less sharp of the two
    first, second = (cv2.GaussianBlur(entry.cut.astype(np.float32), (0, 0), blur) for entry in (a, b))
    to_second = np.eye(2, 3, dtype=np.float32)
    limits = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-4)
    try:
        _, to_second = cv2.findTransformECC(first, second, to_second, cv2.MOTION_AFFINE, limits, _mask(b), 3)
    except cv2.error:  # it found no map, or an image is of one colour
        return None
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (_SIDE, _SIDE)
    second = cv2.warpAffine(second, to_second, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    both = _mask(a) & cv2.warpAffine(_mask(b), to_second, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    weight = _WINDOW * both
    if weight.sum() < 0.5 * _WINDOW.sum():
        return None
    correlation = _correlation(_high_pass(first), _high_pass(second), weight / weight.sum())
    if correlation < _MIN_CORRELATION or _moved(first, second, both) > _MAX_MOVED:
        return None
    return correlation


def _mask(entry: Fingerprint) -> np.ndarray:
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    x1, y1, x2, y2 = entry.inside
    mask[y1:y2, x1:x2] = 1
    return mask


def _high_pass(cut: np.ndarray) -> np.ndarray:
    return cut - cv2.GaussianBlur(cut, (0, 0), 6)


def _correlation(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> float:
    a, b = a - (a * weight).sum(), b - (b * weight).sum()
    return float((weight * a * b).sum() / np.sqrt((weight * a * a).sum() * (weight * b * b).sum() + 1e-9))


def _moved(a: np.ndarray, b: np.ndarray, both: np.ndarray) -> float:
    """Pixels, the median over the middle of the cut: how far its parts lie from their places in the other."""
    flow = cv2.calcOpticalFlowFarneback(  # type: ignore[call-overload]
        _local_contrast(a), _local_contrast(b), None, 0.5, 2, 9, 3, 7, 1.5, 0
    )
    middle = slice(_SIDE * 3 // 16, _SIDE * 13 // 16)
    lengths = np.linalg.norm(flow, axis=2)[middle, middle][both[middle, middle] > 0]
    return float(np.median(lengths)) if len(lengths) else np.inf


def _local_contrast(cut: np.ndarray) -> np.ndarray:
    """uint8, with the same contrast everywhere, so that light and print do not matter."""
    rest = cut - cv2.GaussianBlur(cut, (0, 0), 5)
    spread = np.sqrt(cv2.GaussianBlur(rest * rest, (0, 0), 5)) + 4
    return np.clip(rest / spread * 40 + 128, 0, 255).astype(np.uint8)


def _window() -> np.ndarray:
    bell = cv2.getGaussianKernel(_SIDE, 0.34 * _SIDE)
    return (bell @ bell.T).astype(np.float32)


_WINDOW = _window()
