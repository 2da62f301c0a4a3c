"""Tracks and smoothing: measured on paths whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from facealign.inference.smoothing import OneEuro
from facealign.inference.tracking import FaceTracker
from facealign.markup import IBUG68
from facealign.structures.face import Face

FPS = 25
# Of a network's points from frame to frame, in face sizes: what a noisy 8-bit camera gives.
NOISE = 0.006
SHAPE = np.random.default_rng(7).uniform(-0.5, 0.5, (68, 2)) * 200


def face(points: np.ndarray) -> Face:
    box = np.concatenate([points.min(axis=0), points.max(axis=0)])
    return Face(points, np.ones(len(points)), box, 1.0, IBUG68)


def noisy(centres: np.ndarray, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return SHAPE + centres[:, None] + rng.normal(0, NOISE * 200, (len(centres), 68, 2))


def smoothed(points: np.ndarray) -> np.ndarray:
    steady = OneEuro()
    return np.stack([steady(p, i / FPS) for i, p in enumerate(points)])


def test_jitter_of_a_still_face_is_more_than_halved() -> None:
    points = noisy(np.full((150, 2), 300.0))
    after = smoothed(points)

    def jitter(p: np.ndarray) -> float:
        return float(np.linalg.norm(np.diff(p[25:], axis=0), axis=2).mean())

    assert jitter(after) < 0.5 * jitter(points)
    assert np.abs(after[25:].mean(axis=0) - (SHAPE + 300)).max() < 1.5  # and it stays where the face is


@pytest.mark.parametrize('speed', [0.5, 1.0, 3.0])
def test_lag_of_a_moving_face_is_under_one_and_a_half_frames(speed: float) -> None:
    step = speed * 200 / FPS  # face sizes a second → pixels a frame
    centres = np.stack([300 + step * np.arange(60), np.full(60, 300.0)], axis=1)
    behind = (noisy(centres) - smoothed(noisy(centres)))[15:, :, 0].mean()
    assert behind / step < 1.5


def test_first_frame_and_equal_times_are_harmless() -> None:
    steady = OneEuro()
    np.testing.assert_array_equal(steady(SHAPE, 0.0), SHAPE)
    assert np.isfinite(steady(SHAPE + 1, 0.0)).all()


def test_two_crossing_faces_keep_their_numbers() -> None:
    tracker = FaceTracker()
    small = SHAPE * 0.6
    for i in range(40):
        right = face(SHAPE + [100 + 20 * i, 300])
        left = face(small + [900 - 20 * i, 420])
        order = [right, left] if i % 2 else [left, right]
        tracks = {id(f): t.track for f, t in zip(order, tracker.update(order, i / FPS))}
        if i == 0:
            first = (tracks[id(right)], tracks[id(left)])
        assert (tracks[id(right)], tracks[id(left)]) == first


def test_a_face_missed_for_some_frames_comes_back_as_itself_and_one_gone_for_long_does_not() -> None:
    tracker = FaceTracker(max_missed=5)
    assert tracker.update([face(SHAPE + 300)], 0)[0].track == 1
    for i in range(1, 6):
        assert tracker.update([], i / FPS) == []
    assert tracker.update([face(SHAPE + 301)], 0.25)[0].track == 1
    for i in range(7):
        tracker.update([], 0.3 + i / FPS)
    assert tracker.update([face(SHAPE + 301)], 1)[0].track == 2


def test_a_face_elsewhere_is_another_face() -> None:
    tracker = FaceTracker()
    tracker.update([face(SHAPE + 300)], 0)
    assert tracker.update([face(SHAPE + 700)], 0.04)[0].track == 2
