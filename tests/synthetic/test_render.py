"""Where things are drawn against where the points say they are.

A face is drawn twice with one colour changed; the pixels that differ are the
feature, found without any of the geometry that placed the points.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from facealign.synthetic import render
from facealign.synthetic.canvas import Canvas
from facealign.synthetic.look import Look
from facealign.synthetic.render import portrait, random_face
from facealign.synthetic.shape import Expression, FaceShape, Identity
from facealign.synthetic.skin import Skin
from facealign.synthetic.view import FaceView, Pose

SIZE = 300
POSES = [Pose(), Pose(yaw=25, pitch=10), Pose(yaw=-30, roll=20), Pose(pitch=-18, roll=-30), Pose(yaw=40, pitch=-8)]


def _view(pose: Pose, **expression) -> FaceView:
    return FaceView(FaceShape(Identity.average(), Expression(**expression)), pose, 200.0, (150.0, 160.0))


def _picture(view: FaceView, **look) -> np.ndarray:
    rng = np.random.default_rng(0)
    plain = dict(hair_style='buzz', beard='none', glasses='none', hat='none', makeup=0.0, freckles=0.0)
    canvas = Canvas(SIZE, SIZE)
    render._draw_person(canvas, view, replace(Look.draw(rng), **{**plain, **look}), rng)
    return canvas.finish()


def _changed(view: FaceView, name: str) -> np.ndarray:
    """Mask of the pixels that ``name``'s colour is seen in."""
    dark, light = (_picture(view, **{name: np.full(3, value)}) for value in (40.0, 220.0))
    return (cv2.absdiff(dark, light).max(axis=2) > 45).astype(np.uint8)


def _from_edge(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Distance in pixels of each point from the mask's edge."""
    outlines, _ = cv2.findContours(cv2.resize(mask, None, fx=4, fy=4), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    edge = np.concatenate([outline[:, 0] for outline in outlines]) / 4.0 - 0.375
    return np.linalg.norm(points[:, None] - edge[None], axis=2).min(axis=1)


@pytest.mark.parametrize('pose', POSES)
@pytest.mark.parametrize('mouth', [dict(mouth_open=0.0), dict(mouth_open=0.7, smile=0.5), dict(smile=-0.3)])
def test_lips_end_at_their_points(pose: Pose, mouth: dict) -> None:
    view = _view(pose, **mouth)
    lips = _changed(view, 'lip')
    assert _from_edge(lips, view.points68()[48:60]).max() < 1.6
    if mouth.get('mouth_open'):
        assert _from_edge(lips, view.points68()[60:68]).max() < 2.6  # the teeth's edge has a soft line of its own
    low, high = view.points106()[86:106].min(axis=0), view.points106()[86:106].max(axis=0)
    y, x = np.nonzero(lips)
    np.testing.assert_allclose([x.min(), y.min(), x.max(), y.max()], [*low, *high], atol=2.3)  # corners are thin


@pytest.mark.parametrize('pose', POSES[:4])
@pytest.mark.parametrize('gaze', [(0.0, 0.0), (0.35, 0.1), (-0.35, -0.1)])
def test_pupils_are_in_the_iris(pose: Pose, gaze: tuple[float, float]) -> None:
    view = _view(pose, gaze=gaze, eye_open=(1.25, 1.25))
    iris = _changed(view, 'iris')
    for pupil in view.points106()[[59, 69]]:
        x, y = np.rint(pupil).astype(int)
        y, x = np.nonzero(iris[y - 12 : y + 13, x - 12 : x + 13])
        # The pupil itself is black: the iris is a ring, whose middle is the pupil's. The upper lid cuts its top off.
        middle = np.rint(pupil).astype(int) - 12 + np.array([x.min() + x.max(), y.min() + y.max()]) / 2.0
        assert abs(middle - pupil)[0] < 2.3 and abs(middle - pupil)[1] < 3.0


@pytest.mark.parametrize('pose', POSES[:4])
def test_brows_end_at_their_points(pose: Pose) -> None:
    view = _view(pose, brow_raise=(0.4, -0.3))
    hair = _changed(view, 'hair')
    for brow in (view.points106()[33:42], view.points106()[42:51]):
        low, high = np.floor(brow.min(axis=0)).astype(int) - 4, np.ceil(brow.max(axis=0)).astype(int) + 4
        alone = np.zeros_like(hair)  # without the lashes and the hair of the head
        alone[low[1] : high[1], low[0] : high[0]] = hair[low[1] : high[1], low[0] : high[0]]
        assert np.median(_from_edge(alone, brow)) < 1.2
        assert _from_edge(alone, brow).max() < 3.0  # the outer end is thin as a hair


@pytest.mark.parametrize('pose', POSES)
def test_contour_is_the_edge_of_the_face(pose: Pose, monkeypatch: pytest.MonkeyPatch) -> None:
    view = _view(pose)

    def painted(value: int) -> np.ndarray:
        class Flat(Skin):
            def __init__(self, *args) -> None:
                super().__init__(*args)
                self.picture[:] = value

        monkeypatch.setattr(render, 'Skin', Flat)
        return _picture(view)

    face = (cv2.absdiff(painted(0), painted(255)).max(axis=2) > 127).astype(np.uint8)
    assert _from_edge(face, view.points106()[1:32]).max() < 1.3
    assert _from_edge(face, view.points68()[1:16]).max() < 1.3


def test_same_seed_same_face() -> None:
    one, same, other = random_face((3, 5), 120), random_face((3, 5), 120), random_face((3, 6), 120)
    np.testing.assert_array_equal(one.image, same.image)
    np.testing.assert_array_equal(one.points106, same.points106)
    assert one.image.shape != other.image.shape or (one.image != other.image).any()


def test_larger_picture_is_the_same_face() -> None:
    small, large = random_face(8, 120), random_face(8, 480)
    shapes = [(points - points.min(axis=0)) / np.ptp(points, axis=0) for points in (small.points68, large.points68)]
    np.testing.assert_allclose(*shapes, atol=1e-9)
    assert large.image.shape[0] == pytest.approx(4 * small.image.shape[0], abs=4)


def test_faces_vary_as_they_should() -> None:
    faces = [random_face((1, i), 96) for i in range(40)]
    hard = [random_face((1, i), 96, hard=True) for i in range(40)]
    assert np.mean([abs(face.pose.yaw) for face in hard]) > 1.2 * np.mean([abs(face.pose.yaw) for face in faces])
    hidden = np.mean([not face.visible106.all() for face in faces])
    assert 0.15 < hidden < 0.8
    assert np.mean([not face.visible106.all() for face in hard]) > hidden
    assert {face.look.glasses for face in faces} >= {'none', 'clear'}
    assert any(face.expression.mouth_open > 0.3 for face in faces)


def test_points_off_the_picture_are_not_visible() -> None:
    found = 0
    for i in range(40):
        face = random_face((2, i), 96)
        height, width = face.image.shape[:2]
        off = (face.points106 < -0.5).any(axis=1) | (face.points106 > (width - 0.5, height - 0.5)).any(axis=1)
        assert not face.visible106[off].any()
        found += off.any()
    assert found


def test_portrait_shows_every_point() -> None:
    face = portrait(300)
    assert face.image.shape == (300, 300, 3) and face.visible106.all()
