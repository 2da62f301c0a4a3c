"""Distances, normalisers, PPR and MPD against hand-computed values, and shapely-free geometry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.markup import DATATANG106, IBUG68
from facealign.metrics import (
    box_size,
    face_errors,
    landmark_boxes,
    mean_pixel_distance,
    normalisers,
    point_errors,
    point_to_curve,
    points_within,
    ppr,
)


@pytest.fixture
def random():
    return np.random.default_rng(0)


def test_a_known_offset_gives_its_length_everywhere(random):
    points = random.uniform(0, 200, (5, 68, 2))
    errors = point_errors(points + [3, 4], points)
    assert errors == pytest.approx(np.full((5, 68), 5.0), abs=1e-4)
    assert face_errors(errors, 100.0) == pytest.approx(np.full(5, 0.05), abs=1e-6)


def test_points_without_annotation_are_left_out(random):
    points = random.uniform(0, 200, (1, 68, 2))
    predictions = points + [1, 0]
    predictions[0, 5] += 1000
    points[0, 5] = np.nan
    errors = point_errors(predictions, points)
    assert np.isnan(errors[0, 5])
    assert face_errors(errors)[0] == pytest.approx(1.0, abs=1e-4)
    assert ppr(errors, 1.5) == 1.0
    assert mean_pixel_distance(errors) == pytest.approx(1.0, abs=1e-4)


def test_a_face_without_any_annotation_is_nan_and_one_without_prediction_inf(random):
    points = random.uniform(0, 200, (2, 68, 2))
    predictions = points.copy()
    points[0], predictions[1, 3, 0] = np.nan, np.nan
    first, second = face_errors(point_errors(predictions, points), 10.0)
    assert np.isnan(first)
    assert second == np.inf


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r'must both be \[N, K, 2\]'):
        point_errors(np.zeros((2, 68, 2)), np.zeros((2, 106, 2)))


def test_ppr_is_strictly_closer():
    errors = np.array([[1.0, 0.999, 2.5, np.nan], [np.inf] * 4])
    assert points_within(errors, 1).tolist() == [1, 0]
    assert ppr(errors, 1) == pytest.approx(1 / 7)
    assert ppr(errors, 3) == pytest.approx(3 / 7)


@pytest.mark.parametrize('markup', [IBUG68, DATATANG106], ids=lambda markup: markup.name)
def test_normalisers_of_a_face_laid_out_by_hand(markup):
    points = np.full((1, markup.num_keypoints, 2), 50.0)
    left, right = markup.outer_eye_corners
    points[0, left], points[0, right] = (30, 60), (90, 140)
    points[0, list(markup.pupils[0])], points[0, list(markup.pupils[1])] = (40, 60), (70, 100)
    points[0, list(markup.regions['contour'])[:2]] = (10, 20), (110, 220)
    sizes = normalisers(points, markup, np.array([[0, 0, 16, 4.0]]), np.array([[400, 100]]))
    eyes = 100.0 if left not in markup.pupils[0] else 50.0
    assert {name: round(float(size[0]), 6) for name, size in sizes.items()} == {
        'interocular': eyes if eyes == 100.0 else 50.0,
        'interpupil': 50.0,
        'bbox': 8.0,
        'landmark_bbox': round(float(np.sqrt(100 * 200)), 6),
        'diagonal': round(float(np.hypot(100, 200)), 6),
        'image': 200.0,
    }


def test_normalisers_use_no_index_of_their_own(shared):
    """On a real face: the outer corners of 300W are points 37 and 46 of the .pts file, counted from 1."""
    lines = (shared / 'data/300w/afw/1051618982_1.pts').read_text().split('{')[-1].split('}')[0].split()
    points = np.array(lines, float).reshape(1, 68, 2)
    expected = np.linalg.norm(points[0, 36] - points[0, 45])
    assert normalisers(points, IBUG68)['interocular'][0] == pytest.approx(expected)


def test_landmark_boxes_pass_missing_points_over():
    points = np.array([[[1, 9], [np.nan, np.nan], [4, 2]], [[np.nan] * 2] * 3], float)
    assert landmark_boxes(points)[0].tolist() == [1, 2, 4, 9]
    assert np.isnan(landmark_boxes(points)[1]).all()


def test_a_face_without_box_fails_by_that_box():
    points = np.zeros((2, 68, 2))
    sizes = normalisers(points, IBUG68, np.array([[0, 0, 4, 9.0], [np.nan] * 4]))['bbox']
    assert sizes.tolist() == [6, 0]
    assert face_errors(np.zeros((2, 68)), sizes).tolist() == [0, np.inf]


def test_box_size_is_in_differences_of_coordinates():
    assert box_size(np.array([[2, 3, 6, 12.0]]))[0] == 6


@given(st.integers(0, 1000))
def test_point_to_curve_is_the_nearest_of_finely_sampled_points(seed):
    random = np.random.default_rng(seed)
    curve, points = random.uniform(0, 10, (1, 5, 2)), random.uniform(-2, 12, (1, 4, 2))
    curve[0, random.integers(5)] = curve[0, random.integers(5)]  # also segments without length
    along = np.linspace(0, 1, 401)[:, None]
    samples = np.concatenate([a + along * (b - a) for a, b in zip(curve[0], curve[0, 1:])])
    expected = np.linalg.norm(points[0, :, None] - samples, axis=2).min(axis=1)
    assert point_to_curve(points, curve)[0] == pytest.approx(expected, abs=0.05)


def test_sliding_along_the_contour_costs_nothing():
    angle = np.linspace(0, np.pi, 33)
    curve = np.stack([100 * np.cos(angle), 100 * np.sin(angle)], axis=1)[None]
    slid = np.stack([100 * np.cos(angle + 0.02), 100 * np.sin(angle + 0.02)], axis=1)[None]
    assert point_errors(slid, curve)[0, 5] == pytest.approx(2.0, abs=0.01)
    assert point_to_curve(slid[:, 1:-1], curve).max() < 0.15


def test_point_to_curve_leaves_missing_ends_out():
    curve = np.array([[[0, 0], [np.nan, np.nan], [10, 0], [20, 0]], [[0, 0], [np.nan] * 2, [1, 1], [np.nan] * 2]])
    points = np.array([[[5, 0], [15, 3], [np.nan, 0]]] * 2)
    first, second = point_to_curve(points, curve)
    assert first.tolist() == [5, 3, np.inf]
    assert np.isnan(second).all()
