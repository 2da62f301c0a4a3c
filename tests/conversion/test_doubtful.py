from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facealign.conversion.doubtful import find_doubtful
from facealign.conversion.readers.datatang import read_datatang
from facealign.conversion.readers.w300 import read_300w
from facealign.markup import DATATANG106, IBUG68, Markup, flip_points
from facealign.structures.records import FaceRecord
from facealign.synthetic.render import random_face


def _record(points: np.ndarray, size: tuple[int, int] = (300, 300)) -> FaceRecord:
    return FaceRecord(Path(), 'a.jpg', points, size, 'test', 'train')


@pytest.fixture(scope='module')
def drawn() -> list[FaceRecord]:
    return [_record(random_face(seed, size=160, hard=seed % 3 == 0).points68 + 60) for seed in range(30)]


def _turned(points: np.ndarray, degrees: float) -> np.ndarray:
    centre, angle = points.mean(axis=0), np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (points - centre) @ matrix.T + centre


@pytest.mark.parametrize('count', [1, 2, 30])
def test_good_faces_raise_no_doubt(drawn: list[FaceRecord], count: int) -> None:
    assert find_doubtful(drawn[:count], IBUG68) == []
    assert find_doubtful([], IBUG68) == []


@pytest.mark.parametrize('count', [1, 3, 30])
def test_left_and_right_exchanged(drawn: list[FaceRecord], count: int) -> None:
    faces = drawn[:count]
    points = faces[0].points
    mirrored = flip_points(points, 300, IBUG68)
    for wrong in (points[list(IBUG68.flip_indices)], np.c_[299 - points[:, 0], points[:, 1]]):
        (doubt,) = find_doubtful([_record(wrong), *faces[1:]], IBUG68)
        assert doubt.face == 0 and doubt.reason == 'left and right points changed places'
    # A mirrored picture whose points were renumbered is a good face.
    assert find_doubtful([_record(mirrored), *faces[1:]], IBUG68) == []


@pytest.mark.parametrize('astray', [(-1000, -1000), (150, 900), (2000, 100)])
def test_one_point_far_off_the_image_of_a_small_set(drawn: list[FaceRecord], astray: tuple[float, float]) -> None:
    points = drawn[0].points.copy()
    points[7] = astray
    (doubt,) = find_doubtful([_record(points), *drawn[1:3]], IBUG68)
    assert doubt.face == 0 and doubt.reason == 'point 7 (contour_8) far off the image'
    # A face that reaches beyond the edge of its picture is none.
    points[7] = drawn[0].points[7]
    assert find_doubtful([_record(points - [points[:, 0].min() + 20, 0]), *drawn[1:3]], IBUG68) == []


def test_a_whole_set_in_which_they_are_exchanged(drawn: list[FaceRecord]) -> None:
    wrong = [_record(face.points[list(IBUG68.flip_indices)]) for face in drawn[:20]]
    assert [doubt.face for doubt in find_doubtful(wrong + drawn[20:], IBUG68)] == list(range(20))


def test_what_else_is_told_from_the_shape(drawn: list[FaceRecord]) -> None:
    points = drawn[0].points
    shuffled = points[np.random.default_rng(0).permutation(68)]
    inside = int((points[:, 0] < 130).sum())
    cases = {
        'turned by 180 degrees': _record(_turned(points, 180)),
        'the points do not form a face': _record(shuffled),
        f'{inside} of 68 points off the image': _record(points - [130, 0]),
    }
    doubts = find_doubtful([*cases.values(), *drawn[1:]], IBUG68)
    assert [doubt.face for doubt in doubts] == [0, 1, 2]
    assert [doubt.reason for doubt in doubts[1:]] == list(cases)[1:]
    assert doubts[0].reason.startswith('turned by 1')
    assert find_doubtful([_record(_turned(points, 60)), *drawn[1:]], IBUG68) == []


@pytest.mark.filterwarnings('error')
def test_absent_points_are_passed_over(drawn: list[FaceRecord]) -> None:
    faces = [replace(face, points=face.points.copy()) for face in drawn]
    for i, face in enumerate(faces):
        face.points[np.random.default_rng(i).permutation(68)[: 2 * i]] = np.nan
    for face in faces:
        face.points[33] = np.nan  # no face has this one
    faces[3].points[:] = faces[3].points[list(IBUG68.flip_indices)]
    assert [doubt.face for doubt in find_doubtful(faces, IBUG68)] == [3]


def test_one_point_far_out_in_a_large_set() -> None:
    rng = np.random.default_rng(0)
    base = random_face(1, size=160).points68
    modes = rng.normal(0, 2, (3, 68, 2))
    faces = [
        _record(base + np.tensordot(rng.normal(0, 1, 3), modes, 1) + rng.normal(0, 0.5, (68, 2)) + 60)
        for _ in range(220)
    ]
    assert find_doubtful(faces, IBUG68) == []
    faces[7].points[30] += [25, 10]
    (doubt,) = find_doubtful(faces, IBUG68)
    assert (doubt.face, doubt.reason) == (7, 'point 30 (nose_bridge_4) far from its place')


@pytest.mark.parametrize(
    ('folder', 'markup', 'expected'),
    [
        (
            '300w',
            IBUG68,
            {
                'afw/4250120238_1.jpg': 'left_brow_1',
                'afw/4538917191_13.jpg': 'contour_1',
                'afw/79378097_6.jpg': 'contour_17',
                'helen/testset/2983130985_1.jpg': 'left_brow_2',
                'helen/trainset/2191423425_1.jpg': 'contour_14',
            },
        ),
        ('datatang106', DATATANG106, {'000985.jpg': 'left_brow_5'}),
    ],
)
def test_real_faces(shared: Path, folder: str, markup: Markup, expected: dict[str, str]) -> None:
    reader = read_300w if folder == '300w' else read_datatang
    faces = reader(shared / 'data' / folder).faces
    found = {faces[doubt.face].file_name: doubt.reason for doubt in find_doubtful(faces, markup)}
    assert found.keys() == expected.keys()
    assert all(f'({expected[name]}) far from its place' in reason for name, reason in found.items())
