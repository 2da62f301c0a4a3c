"""All measures of a set of faces against direct computation, and on real faces moved by a known offset."""

from __future__ import annotations

import json

import numpy as np
import pytest

from facealign import metrics as F
from facealign.io.pts import read_pts
from facealign.markup import DATATANG106, IBUG68
from facealign.metrics.faces import Faces
from facealign.metrics.table import TO_CURVE, ErrorTable, flat_metrics, measure, subset_masks


@pytest.fixture
def faces():
    random = np.random.default_rng(0)
    points = random.uniform(0, 100, (40, 106, 2))
    points[3, 7] = np.nan
    visibility = random.integers(1, 3, (40, 106)).astype(np.uint8)
    visibility[3, 7] = 0
    detected = np.ones(40, bool)
    detected[[5, 11]] = False
    return Faces.of_arrays(
        points + random.normal(0, 2, points.shape),
        points,
        visibility=visibility,
        detected=detected,
        image_sizes=np.tile([300.0, 400.0], (40, 1)),
        attributes=[dict(glasses='yes' if i % 4 else 'no', name=str(i)) for i in range(40)],
    )


@pytest.fixture
def measured(faces):
    return measure(ErrorTable(faces, DATATANG106), resamples=200)


def test_every_number_is_what_the_pure_functions_say(faces, measured):
    errors = F.point_errors(faces.scored, faces.points)
    sizes = F.normalisers(faces.points, DATATANG106, image_sizes=faces.image_sizes)
    assert measured['faces'] == 40
    assert measured['undetected'] == 2
    assert set(measured['normalisers']) == set(sizes)
    for name, size in sizes.items():
        relative = F.face_errors(errors, size)
        numbers = measured['normalisers'][name]
        assert numbers['mean']['value'] == pytest.approx(relative[np.isfinite(relative)].mean(), rel=1e-5)
        assert numbers['median']['value'] == pytest.approx(F.quantile(relative, 0.5))
        assert numbers['auc']['0.08']['value'] == pytest.approx(F.auc(relative, 0.08), rel=1e-5)
        assert numbers['fr']['1']['value'] == pytest.approx(F.failure_rate(relative, 1.0))
    assert measured['mpd']['value'] == pytest.approx(F.mean_pixel_distance(errors), rel=1e-5)
    for limit in range(1, 11):
        assert measured['ppr'][str(limit)]['value'] == pytest.approx(F.ppr(errors, limit))


def test_a_quantile_among_the_failures_does_not_exist(measured):
    assert measured['normalisers']['landmark_bbox']['p99']['value'] is None


def test_intervals_hold_the_value(measured):
    numbers = measured['normalisers']['interocular']
    for number in (numbers['mean'], numbers['auc']['0.08'], numbers['median'], measured['ppr']['3'], measured['mpd']):
        assert number['low'] < number['value'] < number['high']


def test_regions_points_visibility_and_attributes_are_parts_of_the_whole(faces, measured):
    errors = F.point_errors(faces.scored, faces.points)
    eyes = errors[:, list(DATATANG106.regions['eyes'])]
    assert measured['regions']['eyes']['mpd']['value'] == pytest.approx(F.mean_pixel_distance(eyes), rel=1e-5)
    assert measured['regions'][TO_CURVE]['mpd']['value'] < measured['regions']['contour']['mpd']['value']
    assert len(measured['points']) == 106
    of_point = errors[:, 9][np.isfinite(errors[:, 9])].mean()
    assert measured['points'][DATATANG106.keypoint_names[9]]['mpd']['value'] == pytest.approx(of_point, rel=1e-5)
    seen = np.where(faces.visibility == 2, errors, np.nan)
    assert measured['visibility']['visible']['ppr']['3']['value'] == pytest.approx(F.ppr(seen, 3))
    assert sum(part['points'] for part in measured['visibility'].values()) == np.count_nonzero(~np.isnan(errors))
    glasses = np.array([face['glasses'] == 'yes' for face in faces.attributes])
    part = measured['attributes']['glasses']['yes']
    assert part['faces'] == 30
    relative = F.face_errors(errors, F.normalisers(faces.points, DATATANG106)['landmark_bbox'])
    assert part['auc']['0.08']['value'] == pytest.approx(F.auc(relative[glasses], 0.08), rel=1e-5)
    assert 'name' not in measured['attributes']  # one value a face makes no table


def test_a_subset_is_measured_as_if_it_were_alone(faces):
    half = np.arange(40) < 20
    alone = Faces.of_arrays(
        *(getattr(faces, key)[:20] for key in ('predictions', 'points')),
        visibility=faces.visibility[:20],
        detected=faces.detected[:20],
        image_sizes=faces.image_sizes[:20],
        attributes=faces.attributes[:20],
    )
    assert measure(ErrorTable(faces, DATATANG106), half, resamples=50) == measure(
        ErrorTable(alone, DATATANG106), resamples=50
    )


def test_a_share_of_none_or_all_has_an_interval_of_some_width(faces):
    points = faces.points[:, :68]
    measured = measure(ErrorTable(Faces.of_arrays(points + 0.1, points), IBUG68), resamples=50)
    none = measured['normalisers']['landmark_bbox']['fr']['0.08']
    assert (none['value'], none['low'], none['high']) == (0, 0, pytest.approx(1 - 0.025 ** (1 / 40)))
    assert measured['regions']['eyes']['fr']['1'] == none
    every = measured['ppr']['1']  # points of one face are not independent: 40 faces, not 2,720 points
    assert (every['value'], every['low'], every['high']) == (1, pytest.approx(0.025 ** (1 / 40)), 1)


def test_a_quantile_of_few_faces_has_a_note_instead_of_an_interval(measured):
    p99 = measured['normalisers']['interocular']['p99']
    assert p99['low'] is None and p99['high'] is None and '40 faces are too few' in p99['note']
    assert 'note' not in measured['normalisers']['interocular']['median']


def test_results_are_strict_json(measured):
    json.dumps(measured, allow_nan=False)


def test_all_faces_undetected_gives_failures_and_no_means():
    points = np.random.default_rng(0).uniform(0, 100, (3, 68, 2))
    measured = measure(ErrorTable(Faces.of_arrays(points, points, detected=np.zeros(3, bool)), IBUG68), resamples=20)
    flat = flat_metrics(measured)
    assert (flat['auc@0.08'], flat['fr@0.08'], flat['ppr@10']) == (0, 1, 0)
    assert np.isnan(flat['nme_interocular'])
    assert measured['mpd']['value'] is None


@pytest.mark.parametrize(
    'present, rows',
    [
        (['common', 'challenge'], ['challenge', 'common', 'full']),
        (['common', 'challenge', 'private'], ['challenge', 'common', 'private', 'full', 'all']),
        (['300w', 'menpo'], ['300w', 'menpo', 'joint']),
        (['common', ''], ['common', 'all']),
    ],
)
def test_subsets_and_their_unions(present, rows):
    masks = subset_masks(np.array(present * 3))
    assert list(masks) == rows
    assert masks[rows[-1]].all()


def test_a_known_offset_on_real_faces(shared):
    """Ground truth moved by 3 % of the rectangle's sqrt(w·h): NME is 0.03, AUC@0.08 is 5/8."""
    files = sorted((shared / 'data/300w/helen/testset').glob('*.pts'))[:50]
    points = np.stack([read_pts(file) for file in files])
    size = F.box_size(F.landmark_boxes(points))
    measured = measure(ErrorTable(Faces.of_arrays(points + 0.03 * size[:, None, None] * [0.6, 0.8], points), IBUG68))
    flat = flat_metrics(measured)
    assert flat['nme_landmark_bbox'] == pytest.approx(0.03, rel=1e-4)
    assert flat['auc@0.08'] == pytest.approx(0.625, rel=1e-4)
    assert flat['fr@0.08'] == 0
    assert 0.55 < flat['nme_landmark_bbox'] / flat['nme_interocular'] < 0.64  # what 300W papers report of the two
