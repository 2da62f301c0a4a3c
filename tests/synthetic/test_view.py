"""Points against an independent projection, mirror images, and the map between the markups."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from facealign.markup import DATATANG106, IBUG68, flip_points
from facealign.synthetic.shape import LEFT, RIGHT, Expression, FaceShape, Identity
from facealign.synthetic.view import FaceView, Pose


def _drawn(seed: int) -> tuple[Identity, Expression, Pose]:
    rng = np.random.default_rng(seed)
    return Identity.draw(rng), Expression.draw(rng), Pose.draw(rng, turned=0.7)


def _view(identity: Identity, expression: Expression, pose: Pose, size: float = 160.0) -> FaceView:
    return FaceView(FaceShape(identity, expression), pose, size, (120.0, 110.0))


@pytest.mark.parametrize('seed', range(4))
def test_projection_is_a_pinhole_camera(seed: int) -> None:
    view = _view(*_drawn(seed))
    pose, xyz = view.pose, np.random.default_rng(seed).uniform(-1, 1, (50, 3))
    # Positive yaw turns z towards x, positive pitch z towards y (down), roll x towards y.
    turn = Rotation.from_euler('yxz', [pose.yaw, -pose.pitch, 0], degrees=True)
    seen = turn.apply(xyz)
    flat = seen[:, :2] * (pose.distance / (pose.distance - seen[:, 2]))[:, None]
    flat = Rotation.from_euler('z', pose.roll, degrees=True).apply(np.c_[flat, np.zeros(50)])[:, :2]
    origin = view.project(np.zeros(3))
    np.testing.assert_allclose(view.project(xyz), origin + view.scale * flat, atol=1e-9)


@pytest.mark.parametrize('seed', range(12))
def test_landmark_rectangle_is_as_asked(seed: int) -> None:
    points = _view(*_drawn(seed), size=150.0).points106()
    low, high = points.min(axis=0), points.max(axis=0)
    assert (high - low).max() == pytest.approx(150.0)
    np.testing.assert_allclose((low + high) / 2, (120.0, 110.0))


@pytest.mark.parametrize('seed', range(12))
def test_mirrored_face_agrees_with_the_flip_tables(seed: int) -> None:
    identity, expression, pose = _drawn(seed)
    mirrored = replace(
        expression,
        mouth_skew=-expression.mouth_skew,
        eye_open=expression.eye_open[::-1],
        brow_raise=expression.brow_raise[::-1],
        gaze=(-expression.gaze[0], expression.gaze[1]),
    )
    view = _view(identity, expression, pose)
    other = _view(identity, mirrored, replace(pose, yaw=-pose.yaw, roll=-pose.roll))
    # The rectangle's centre, x = 120, stays where it is in a picture 241 pixels wide.
    np.testing.assert_allclose(other.points68(), flip_points(view.points68(), 241, IBUG68), atol=1e-6)
    np.testing.assert_allclose(other.points106(), flip_points(view.points106(), 241, DATATANG106), atol=1e-6)


def test_points_of_the_two_markups_agree(shared) -> None:
    table = json.loads((shared / 'reference' / 'markups.json').read_text())['ibug68_0based_to_datatang_0based']
    at68, at106 = np.array([(int(a), b) for a, b in table.items()]).T
    # Lid points are defined a little differently (thirds of the eye against 0.29 and 0.71).
    lids = np.isin(at68, [37, 38, 40, 41, 43, 44, 46, 47])
    for seed in range(12):
        view = _view(*_drawn(seed))
        apart = np.linalg.norm(view.points68()[at68] - view.points106()[at106], axis=1)
        assert apart[~lids].max() < 1e-9
        assert apart[lids].max() < 0.03 * 160.0


def test_only_turned_faces_have_points_behind_the_cheek() -> None:
    identity = Identity.average()
    assert not _view(identity, Expression(), Pose()).turned_away106().any()
    right = _view(identity, Expression(), Pose(yaw=42.0)).turned_away106()
    left = _view(identity, Expression(), Pose(yaw=-42.0)).turned_away106()
    assert right.any()
    np.testing.assert_array_equal(left, right[list(DATATANG106.flip_indices)])
    # A face that looks to the viewer's right hides its right side.
    names = [name for name, away in zip(DATATANG106.keypoint_names, right) if away]
    assert names and all(name.startswith(('right', 'mouth')) for name in names)


@pytest.mark.parametrize('seed', range(12))
def test_features_stay_inside_the_face(seed: int) -> None:
    view = _view(*_drawn(seed))
    features = view.points106()[51:]
    contour = view.contour(33)
    # The eyes', nose's and mouth's points are between the outermost points of the contour, along the face's own x.
    along = contour[-1] - contour[0]
    along = along / np.linalg.norm(along)
    reach = contour @ along
    assert (features @ along).min() > reach.min() - 0.06 * 160
    assert (features @ along).max() < reach.max() + 0.06 * 160


def test_gaze_moves_the_pupil_and_not_the_centre() -> None:
    ahead, aside = (FaceShape(Identity.average(), Expression(gaze=gaze)) for gaze in ((0.0, 0.0), (0.3, 0.0)))
    for side in (LEFT, RIGHT):
        assert aside.pupil(side)[0] - ahead.pupil(side)[0] == pytest.approx(0.3 * ahead.eye_half)
        np.testing.assert_array_equal(aside.eye_centre(side), ahead.eye_centre(side))


def test_contour_is_evenly_spaced_on_each_half() -> None:
    contour = _view(*_drawn(3)).contour(33)
    for half in (contour[:17], contour[16:]):
        step = np.linalg.norm(np.diff(half, axis=0), axis=1)
        assert step.std() < 0.03 * step.mean()
