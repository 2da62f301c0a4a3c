"""What the points of a face are: names, mirror images, regions, outlines.

A *markup* is a numbering of facial landmarks. This is the only file that
spells an index; everything else asks a :class:`Markup`. Indices are 0-based;
"left" and "right" are the viewer's, as seen in the image.

>>> IBUG68.num_keypoints, DATATANG106.num_keypoints, LAPA106.num_keypoints
(68, 106, 106)
>>> IBUG68.outer_eye_corners
(36, 45)
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

_Indices = tuple[int, ...]


@dataclass(frozen=True)
class Markup:
    """A numbering of facial landmarks.

    Attributes:
        name: the key under which :func:`get_markup` finds it.
        keypoint_names: one name a point, in order.
        flip_pairs: pairs that change places in a mirrored face; a point in no
            pair lies on the midline and keeps its number.
        regions: name to point indices; the regions cover every point once.
        polylines: outlines for drawing; a closed one ends where it began.
        outer_eye_corners: the two points whose distance is the inter-ocular
            normaliser; None where a markup has no such points.
        pupils: for the left and the right eye the points whose mean is the
            pupil centre, for the inter-pupil normaliser; or None.
    """

    name: str
    keypoint_names: tuple[str, ...]
    flip_pairs: tuple[tuple[int, int], ...]
    regions: dict[str, _Indices] = field(hash=False)
    polylines: tuple[_Indices, ...]
    outer_eye_corners: tuple[int, int] | None
    pupils: tuple[_Indices, _Indices] | None

    @property
    def num_keypoints(self) -> int:
        return len(self.keypoint_names)

    @property
    def flip_indices(self) -> _Indices:
        """For each point, the number its mirror image bears."""
        indices = list(range(self.num_keypoints))
        for a, b in self.flip_pairs:
            indices[a], indices[b] = b, a
        return tuple(indices)

    @property
    def skeleton(self) -> list[tuple[int, int]]:
        """The polylines as edges (i, j), each once."""
        return [edge for line in self.polylines for edge in zip(line[:-1], line[1:])]

    def metainfo(self) -> dict:
        """This markup as MMPose's dataset ``metainfo`` dictionary.

        Every joint weighs 1 and has the same OKS sigma: sigmas are not used
        by this field's metrics, but MMPose wants them.
        """
        flip = self.flip_indices
        names = self.keypoint_names
        return dict(
            dataset_name=self.name,
            paper_info={},
            keypoint_info={
                i: dict(name=name, id=i, color=[0, 255, 0], type='', swap=names[flip[i]] if flip[i] != i else '')
                for i, name in enumerate(names)
            },
            skeleton_info={
                i: dict(link=(names[a], names[b]), id=i, color=[0, 200, 255]) for i, (a, b) in enumerate(self.skeleton)
            },
            joint_weights=[1.0] * self.num_keypoints,
            sigmas=[0.025] * self.num_keypoints,
        )


def _span(first: int, last: int) -> _Indices:
    return tuple(range(first, last + 1))


def _closed(*points: int) -> _Indices:
    return (*points, points[0])


def _named(parts: list[tuple[str, int]]) -> tuple[str, ...]:
    return tuple(f'{part}_{i + 1}' for part, count in parts for i in range(count))


def _one_based(pairs: str) -> tuple[tuple[int, int], ...]:
    return tuple((int(a) - 1, int(b) - 1) for a, b in (pair.split('-') for pair in pairs.split()))


IBUG68 = Markup(
    name='ibug68',
    keypoint_names=_named(
        [
            ('contour', 17),
            ('left_brow', 5),
            ('right_brow', 5),
            ('nose_bridge', 4),
            ('nose_base', 5),
            ('left_eye', 6),
            ('right_eye', 6),
            ('outer_lip', 12),
            ('inner_lip', 8),
        ]
    ),
    flip_pairs=(
        *((i, 16 - i) for i in range(8)),
        *((17 + i, 26 - i) for i in range(5)),
        *_one_based('32-36 33-35'),
        *_one_based('37-46 38-45 39-44 40-43 41-48 42-47'),
        *_one_based('49-55 50-54 51-53 60-56 59-57'),
        *_one_based('61-65 62-64 68-66'),
    ),
    regions=dict(
        contour=_span(0, 16),
        brows=_span(17, 26),
        nose=_span(27, 35),
        eyes=_span(36, 47),
        mouth=_span(48, 67),
    ),
    polylines=(
        _span(0, 16),
        _span(17, 21),
        _span(22, 26),
        _span(27, 30),
        _span(31, 35),
        _closed(*_span(36, 41)),
        _closed(*_span(42, 47)),
        _closed(*_span(48, 59)),
        _closed(*_span(60, 67)),
    ),
    outer_eye_corners=(36, 45),
    pupils=(_span(36, 41), _span(42, 47)),
)

# Datatang's own order, which differs from LaPa's and JD's after the brows.
DATATANG106 = Markup(
    name='datatang106',
    keypoint_names=_named(
        [
            ('contour', 33),
            ('left_brow', 9),
            ('right_brow', 9),
            ('left_eye', 10),
            ('right_eye', 10),
            ('nose', 15),
            ('mouth', 20),
        ]
    ),
    flip_pairs=(
        *((i, 32 - i) for i in range(16)),
        *_one_based('34-47 35-46 36-45 37-44 38-43 39-51 40-50 41-49 42-48'),
        *_one_based('52-65 53-64 54-63 55-62 56-67 57-66 58-68 59-69 60-70 61-71'),
        *_one_based('76-77 78-79 80-81 82-86 83-85'),
        *_one_based('87-91 97-98 93-94 96-95 88-90 99-101 102-104 105-106'),
    ),
    regions=dict(
        contour=_span(0, 32),
        brows=_span(33, 50),
        eyes=_span(51, 70),
        nose=_span(71, 85),
        mouth=_span(86, 105),
    ),
    polylines=(
        _span(0, 32),
        _closed(33, 34, 35, 36, 37, 41, 40, 39, 38),
        _closed(42, 43, 44, 45, 46, 50, 49, 48, 47),
        _closed(51, 52, 57, 53, 54, 55, 58, 56),
        _closed(61, 62, 67, 63, 64, 65, 68, 66),
        _span(71, 74),
        (75, 77, 79, 81, 82, 83, 84, 85, 80, 78, 76),
        _closed(86, 92, 87, 88, 89, 93, 90, 94, 105, 91, 104, 95),
        _closed(96, 98, 99, 100, 97, 103, 102, 101),
    ),
    outer_eye_corners=(51, 64),
    pupils=((59,), (69,)),
)

# The same points in the order of LaPa and JD-landmark; number i of DATATANG106 bears there the i-th of these.
_DATATANG_TO_LAPA = (
    *_span(0, 37),
    *(41, 40, 39, 38),
    *_span(42, 46),
    *(50, 49, 48, 47),
    *(66, 67, 69, 70, 71, 73, 68, 72, 104, 74),
    *(75, 76, 78, 79, 80, 82, 77, 81, 105, 83),
    *_span(51, 54),
    *(55, 65, 56, 64, 57, 63),
    *_span(58, 62),
    *(84, 86, 87, 88, 90, 93, 85, 89, 91, 95),
    *(96, 100, 97, 98, 99, 103, 102, 101, 94, 92),
)


def _in_lapa(indices: _Indices) -> _Indices:
    return tuple(_DATATANG_TO_LAPA[i] for i in indices)


LAPA106 = Markup(
    name='lapa106',
    keypoint_names=_named(
        [
            ('contour', 33),
            ('left_brow', 9),
            ('right_brow', 9),
            ('nose', 15),
            ('left_eye', 9),
            ('right_eye', 9),
            ('mouth', 20),
            ('left_pupil', 1),
            ('right_pupil', 1),
        ]
    ),
    flip_pairs=tuple((_DATATANG_TO_LAPA[a], _DATATANG_TO_LAPA[b]) for a, b in DATATANG106.flip_pairs),
    regions={name: tuple(sorted(_in_lapa(points))) for name, points in DATATANG106.regions.items()},
    polylines=tuple(_in_lapa(line) for line in DATATANG106.polylines),
    outer_eye_corners=(66, 79),
    pupils=((104,), (105,)),
)

_MARKUPS = {markup.name: markup for markup in (IBUG68, DATATANG106, LAPA106)}

# Those of annotation and model files opened so far.
_OF_FILES: dict[str, Markup] = {}

# For each point of a markup the number that the same point bears in DATATANG106. The lid points of IBUG68
# stand for the nearest of the denser ones there: on an open eye a good match, but not the same definition.
_TO_DATATANG = {
    'ibug68': (
        *range(0, 33, 2),
        *_span(33, 37),
        *_span(42, 46),
        *_span(71, 74),
        *_span(81, 85),
        *_span(51, 56),
        *_span(61, 66),
        *(86, 92, 87, 88, 89, 93, 90, 94, 105, 91, 104, 95),
        *(96, 98, 99, 100, 97, 103, 102, 101),
    ),
    'datatang106': _span(0, 105),
    'lapa106': tuple(_DATATANG_TO_LAPA.index(i) for i in range(106)),
}


def get_markup(name: str) -> Markup:
    """The markup called ``name``, or the points of several one after the other: ``ibug68+datatang106``.

    Raises:
        ValueError: no such markup; the message lists those there are.
    """
    if '+' in name:
        return _joined(name, [get_markup(part) for part in name.split('+')])
    if name not in _MARKUPS and name not in _OF_FILES:
        raise ValueError(f'no markup "{name}"; there are: {", ".join(markup_names())}')
    return _MARKUPS.get(name) or _OF_FILES[name]


def add_markup(markup: Markup) -> Markup:
    """Make a markup that a file holds known to :func:`get_markup`, for this process.

    Raises:
        ValueError: another markup has its name.
    """
    known = _MARKUPS.get(markup.name) or _OF_FILES.setdefault(markup.name, markup)
    if known != markup:
        raise ValueError(f'another markup is called "{markup.name}" too; give one of the two another name')
    return known


def is_shipped(markup: Markup) -> bool:
    """Whether every installation knows ``markup`` by its name, so that files need not hold it."""
    return all(part in _MARKUPS for part in markup.name.split('+'))


def _joined(name: str, parts: list[Markup]) -> Markup:
    """The points of ``parts`` in a row; eye corners and pupils are those of the first."""
    firsts = np.cumsum([0, *(part.num_keypoints for part in parts)]).tolist()
    moved = list(zip(parts, firsts))
    return Markup(
        name=name,
        keypoint_names=tuple(f'{part.name}_{point}' for part in parts for point in part.keypoint_names),
        flip_pairs=tuple((a + first, b + first) for part, first in moved for a, b in part.flip_pairs),
        regions={
            f'{part.name}_{region}': tuple(i + first for i in points)
            for part, first in moved
            for region, points in part.regions.items()
        },
        polylines=tuple(tuple(i + first for i in line) for part, first in moved for line in part.polylines),
        outer_eye_corners=parts[0].outer_eye_corners,
        pupils=parts[0].pupils,
    )


def markup_names() -> list[str]:
    """The names :func:`get_markup` knows, sorted."""
    return sorted(_MARKUPS)


def flip_points(points: np.ndarray, width: float, markup: Markup) -> np.ndarray:
    """Points ``[..., K, 2]`` (pixels) in the mirror image of a picture ``width`` wide.

    >>> points = np.arange(136.0).reshape(68, 2)
    >>> np.array_equal(flip_points(flip_points(points, 200, IBUG68), 200, IBUG68), points)
    True
    """
    flipped = np.asarray(points)[..., list(markup.flip_indices), :].copy()
    flipped[..., 0] = width - 1 - flipped[..., 0]
    return flipped


def index_map(source: Markup, target: Markup) -> np.ndarray:
    """For each point of ``target`` the number of the same point in ``source``, -1 where it has none: [K of target] int.

    >>> index_map(IBUG68, LAPA106)[:4].tolist(), index_map(LAPA106, IBUG68)[36:38].tolist()
    ([0, -1, 1, -1], [66, 67])
    """
    numbers = {place: number for number, place in enumerate(_TO_DATATANG[source.name])}
    return np.array([numbers.get(place, -1) for place in _TO_DATATANG[target.name]])


def convert_points(points: np.ndarray, source: Markup, target: Markup) -> np.ndarray:
    """Points ``[..., K, C]`` numbered by ``source``, numbered by ``target``; NaN for a point that ``source`` lacks."""
    indices = index_map(source, target)
    converted = np.asarray(points, dtype=float)[..., indices, :]
    converted[..., indices < 0, :] = np.nan
    return converted
