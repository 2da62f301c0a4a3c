from __future__ import annotations

import doctest
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign import markup
from facealign.conversion.readers.base import Annotation
from facealign.conversion.readers.datatang import parse_datatang
from facealign.io.pts import read_pts
from facealign.markup import (
    DATATANG106,
    IBUG68,
    LAPA106,
    Markup,
    convert_points,
    flip_points,
    get_markup,
    index_map,
    markup_names,
)

ALL = [IBUG68, DATATANG106, LAPA106]
each = pytest.mark.parametrize('points_of', ALL, ids=lambda m: m.name)


def test_doctests() -> None:
    assert doctest.testmod(markup).failed == 0


@each
def test_a_markup_is_consistent(points_of: Markup) -> None:
    count = points_of.num_keypoints
    assert len(set(points_of.keypoint_names)) == count
    assert sorted(point for region in points_of.regions.values() for point in region) == list(range(count))
    drawn = [point for line in points_of.polylines for point in line]
    assert set(drawn) <= set(range(count))
    assert all(a != b for a, b in points_of.skeleton) and len(set(points_of.skeleton)) == len(points_of.skeleton)
    assert get_markup(points_of.name) is points_of


@each
def test_the_flip_is_an_involution_and_keeps_regions_outlines_and_eyes(points_of: Markup) -> None:
    flip = np.array(points_of.flip_indices)
    assert np.array_equal(flip[flip], np.arange(points_of.num_keypoints))
    assert all(sorted(flip[list(region)]) == sorted(region) for region in points_of.regions.values())
    edges = {frozenset(edge) for edge in points_of.skeleton}
    assert {frozenset(flip[list(edge)].tolist()) for edge in edges} == edges
    left, right = points_of.outer_eye_corners
    assert flip[left] == right
    assert sorted(flip[list(points_of.pupils[0])]) == sorted(points_of.pupils[1])


def test_counts() -> None:
    assert [len(m.flip_pairs) for m in ALL] == [29, 48, 48]
    assert [sum(i == j for i, j in enumerate(m.flip_indices)) for m in ALL] == [10, 10, 10]
    assert markup_names() == ['datatang106', 'ibug68', 'lapa106']
    with pytest.raises(ValueError, match='no markup "wflw"; there are: datatang106'):
        get_markup('wflw')


@pytest.mark.parametrize('name', ['ibug68', 'lapa106'])
def test_against_mmpose_s_own_tables(name: str) -> None:
    spec = importlib.util.find_spec('mmpose')
    if spec is None or spec.origin is None:
        pytest.skip('needs MMPose, whose tables it compares with')
    file = {'ibug68': '300w.py', 'lapa106': 'lapa.py'}[name]
    namespace: dict = {}
    exec((Path(spec.origin).parent / '.mim/configs/_base_/datasets' / file).read_text(), namespace)
    info = namespace['dataset_info']['keypoint_info']
    number = {info[i]['name']: i for i in info}
    swaps = tuple(number.get(info[i]['swap'], i) for i in range(len(info)))
    assert get_markup(name).flip_indices == swaps


def test_against_the_reference_tables(shared: Path) -> None:
    tables = json.loads((shared / 'reference/markups.json').read_text())
    to_lapa = index_map(LAPA106, DATATANG106)
    assert to_lapa.tolist() == [tables['datatang_1based_to_lapa_0based'][str(i + 1)] for i in range(106)]
    from_ibug = index_map(DATATANG106, IBUG68)
    assert from_ibug.tolist() == [tables['ibug68_0based_to_datatang_0based'][str(i)] for i in range(68)]
    pairs = {frozenset((a - 1, b - 1)) for a, b in tables['datatang_flip_pairs_1based']}
    assert {frozenset(pair) for pair in DATATANG106.flip_pairs} == pairs


@pytest.mark.parametrize('source', ALL, ids=lambda m: m.name)
@pytest.mark.parametrize('target', ALL, ids=lambda m: m.name)
def test_maps_invert_each_other_and_commute_with_the_flip(source: Markup, target: Markup) -> None:
    points = np.random.default_rng(0).uniform(0, 99, (3, source.num_keypoints, 2))
    there = convert_points(points, source, target)
    back = convert_points(there, target, source)
    known = np.isfinite(back).all(axis=-1)
    assert np.array_equal(back[known], points[known])
    assert known.sum() == 3 * min(source.num_keypoints, target.num_keypoints)
    flipped_first = convert_points(flip_points(points, 100, source), source, target)
    assert np.array_equal(flipped_first, flip_points(there, 100, target), equal_nan=True)
    # Named points stay what they are.
    assert np.array_equal(there[:, list(target.outer_eye_corners)], points[:, list(source.outer_eye_corners)])


def test_only_106_points_have_pupils() -> None:
    # 52-65 Datatang's outer corners and 60, 70 its pupils, counted from 1.
    assert DATATANG106.outer_eye_corners == (51, 64) and DATATANG106.pupils == ((59,), (69,))
    converted = convert_points(np.zeros((68, 2)), IBUG68, DATATANG106)
    assert np.isnan(converted[[59, 69]]).all() and np.isfinite(converted).all(axis=1).sum() == 68


@given(st.integers(2, 400), st.sampled_from(ALL))
def test_flipping_pixels_and_points_agrees(width: int, points_of: Markup) -> None:
    image = np.arange(width)
    column = np.random.default_rng(width).integers(0, width, points_of.num_keypoints)
    points = np.stack([column, column], axis=1).astype(float)
    flipped = flip_points(points, width, points_of)
    assert np.array_equal(image[::-1][flipped[:, 0].astype(int)], column[list(points_of.flip_indices)])


def _mean_shape(faces: list[np.ndarray]) -> np.ndarray:
    """Of faces [K, 2], each moved to the origin and scaled to a root mean square radius of 1."""
    centred = [face - face.mean(axis=0) for face in faces]
    return np.mean([face / np.sqrt((face**2).sum(axis=1).mean()) for face in centred], axis=0)


def _check_symmetry(shape: np.ndarray, points_of: Markup) -> None:
    mirrored = shape[list(points_of.flip_indices)] * [-1, 1]
    turn = mirrored.T @ shape  # the best rotation of the mirrored shape onto the shape (Kabsch)
    u, _, vt = np.linalg.svd(turn)
    mirrored = mirrored @ (u @ vt)
    distance = np.linalg.norm(mirrored[:, None] - shape[None], axis=-1)
    # Each mirrored point lies on its own partner, within a few hundredths of the shape's radius, and no other point
    # of the same region is nearer.
    assert np.diag(distance).max() < 0.06
    nearest = distance.argmin(axis=1)
    misses = [i for i in range(len(shape)) if distance[i, nearest[i]] < 0.5 * distance[i, i]]
    assert misses == []


@pytest.fixture(scope='module')
def datatang_faces(shared: Path) -> list[Annotation]:
    return [parse_datatang(path) for path in sorted((shared / 'data/datatang106').glob('*.json'))]


def test_the_mirrored_mean_of_real_106_point_faces_is_itself(datatang_faces: list[Annotation]) -> None:
    faces = [face for face in datatang_faces if face.attributes['orientation'] == 'forward']
    assert len(faces) > 300
    shape = _mean_shape([face.points for face in faces])
    _check_symmetry(shape, DATATANG106)
    _check_symmetry(convert_points(shape, DATATANG106, LAPA106), LAPA106)
    _check_symmetry(convert_points(shape, DATATANG106, IBUG68), IBUG68)


def test_the_map_to_68_points_fits_real_faces_of_both_datasets(shared: Path, datatang_faces: list[Annotation]) -> None:
    wanted = _mean_shape([read_pts(path) for path in sorted((shared / 'data/300w/helen/testset').glob('*.pts'))])
    shape = _mean_shape([convert_points(face.points, DATATANG106, IBUG68) for face in datatang_faces])
    u, _, vt = np.linalg.svd(shape.T @ wanted)
    shape = shape @ (u @ vt)
    distance = np.linalg.norm(shape[:, None] - wanted[None], axis=-1)
    # The contours differ in where they begin and in their spacing; the inner points are the same places.
    inner = [i for i in range(68) if i not in IBUG68.regions['contour']]
    assert np.diag(distance)[inner].max() < 0.15
    assert (distance[inner].argmin(axis=1) == inner).mean() > 0.9


@each
def test_metainfo_is_what_mmpose_parses(points_of: Markup) -> None:
    info = points_of.metainfo()
    names = [info['keypoint_info'][i]['name'] for i in range(points_of.num_keypoints)]
    swaps = [info['keypoint_info'][i]['swap'] or names[i] for i in range(points_of.num_keypoints)]
    assert tuple(names.index(swap) for swap in swaps) == points_of.flip_indices
    assert len(info['joint_weights']) == len(info['sigmas']) == points_of.num_keypoints
    assert info['dataset_name'] == points_of.name


def test_markups_in_a_row_keep_their_points() -> None:
    both = get_markup('ibug68+datatang106')
    assert both.num_keypoints == 174 and len(set(both.keypoint_names)) == 174
    flip = np.array(both.flip_indices)
    np.testing.assert_array_equal(flip[flip], np.arange(174))
    np.testing.assert_array_equal(flip[:68], get_markup('ibug68').flip_indices)
    np.testing.assert_array_equal(flip[68:] - 68, get_markup('datatang106').flip_indices)
    assert sorted(i for region in both.regions.values() for i in region) == list(range(174))
    with pytest.raises(ValueError, match='no markup "ibug"'):
        get_markup('ibug+datatang106')
