"""The crop rule against MMPose's own transforms, and the cut against exact pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.structures.crop import CropRule, cut, to_image

_SIDE = st.floats(1, 500)
_PLACE = st.floats(-100, 500)


@given(_PLACE, _PLACE, _SIDE, _SIDE, st.floats(0.5, 3), st.booleans(), st.integers(16, 300), st.integers(16, 300))
def test_the_widened_rectangle_fills_the_crop(x, y, w, h, padding, udp, width, height) -> None:
    matrix = CropRule(padding, udp).matrix(np.array([x, y, x + w, y + h]), (width, height))
    # The crop's sides in the image, by the definition of each convention.
    end = 1 if udp else 0
    corners = to_image(np.array([[0.0, 0.0], [width - end, height - end]]), matrix)
    np.testing.assert_allclose(corners.mean(axis=0), [x + w / 2, y + h / 2], atol=1e-6)
    got_w, got_h = corners[1] - corners[0]
    assert got_w / got_h == pytest.approx(width / height, rel=1e-6)
    assert max(got_w / (padding * w), got_h / (padding * h)) >= 1 - 1e-9
    assert min(got_w / (padding * w), got_h / (padding * h)) == pytest.approx(1, rel=1e-9)


@given(st.lists(st.tuples(_PLACE, _PLACE), min_size=1, max_size=5), _PLACE, _SIDE)
def test_to_image_undoes_the_matrix(points, place, side) -> None:
    matrix = CropRule().matrix(np.array([place, place, place + side, place + side]), (64, 64))
    crop = np.array(points) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(to_image(crop, matrix), points, atol=1e-6)


@pytest.mark.parametrize('reduction', [0.5, 1.4, 2.9, 3.0, 4.7, 8.0, 20.5])
@pytest.mark.parametrize('place', [(0.0, 0.0), (-4.0, 13.3), (37.7, -2.0)])
def test_a_cut_of_a_ramp_is_the_ramp(reduction, place) -> None:
    """On a picture whose value is linear in x and y, any correct reduction gives the value at the point shown."""
    side = 40 * reduction
    y, x = np.mgrid[: int(side * 1.5) + 90, : int(side * 1.5) + 90].astype(np.float32)
    image = np.stack([x, y, x + y], axis=2)
    matrix = CropRule(1.0).matrix(np.array([*place, place[0] + side, place[1] + side]), (40, 40))
    crop = cut(image, matrix, (40, 40))
    v, u = np.mgrid[:40, :40]
    at = to_image(np.stack([u, v], axis=2), matrix)
    inner = ((at > 2 * reduction + 2) & (at < image.shape[0] - 2 * reduction - 3)).all(axis=2)
    assert inner.sum() > 300
    np.testing.assert_allclose(crop[inner][:, 0], at[inner][:, 0], atol=0.06 * max(1, reduction))
    np.testing.assert_allclose(crop[inner][:, 1], at[inner][:, 1], atol=0.06 * max(1, reduction))


def test_a_large_face_is_averaged_not_skipped() -> None:
    board = ((np.indices((1000, 1000)).sum(axis=0) % 2) * 255).astype(np.uint8)
    image = np.repeat(board[..., None], 3, axis=2)
    matrix = CropRule(1.0).matrix(np.array([3.0, 3, 997, 997]), (100, 100))
    crop = cut(image, matrix, (100, 100))
    assert np.abs(crop[5:-5, 5:-5].astype(float) - 127.5).max() < 8
    skipped = cv2.warpAffine(image, matrix, (100, 100))
    assert np.abs(skipped[5:-5, 5:-5].astype(float) - 127.5).max() > 50


def test_outside_is_black_and_far_outside_no_error() -> None:
    image = np.full((50, 50, 3), 200, np.uint8)
    for box in ([-500, -500, -400, -400], [48, 48, 900, 900], [-2000, -2000, 3000, 3000]):
        crop = cut(image, CropRule().matrix(np.array(box, dtype=float), (32, 32)), (32, 32))
        assert crop.shape == (32, 32, 3)
        assert (crop == 0).any()


@pytest.mark.parametrize('udp', [False, True])
def test_the_crop_is_mmpose_s(udp: bool) -> None:
    """Against MMPose's own steps, on a box wider than high and one higher than wide."""
    pytest.importorskip('mmpose', reason='compares with MMPose, which is not installed')
    from facealign import compat

    compat.apply()
    from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine

    image = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    for box in ([40.5, 60, 160, 140], [100, 20.25, 150, 180]):
        results = dict(img=image, bbox=np.array([box], np.float32), bbox_score=np.ones(1))
        results = TopdownAffine((96, 128), use_udp=udp)(GetBBoxCenterScale(padding=1.25)(results))
        matrix = CropRule(1.25, udp).matrix(np.array(box), (96, 128))
        assert np.abs(cut(image, matrix, (96, 128)).astype(int) - results['img']).max() <= 2
