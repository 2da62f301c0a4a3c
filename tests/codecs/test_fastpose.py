"""Both heatmap codecs: targets by formula, and what decoding gives back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.codecs import MSRAHeatmap, UDPHeatmap
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine

import facealign.plugin  # noqa: F401
from facealign.codecs.fastpose import PatchHeatmap, SubcellHeatmap, subcell_maximum

INPUT, CELLS = (256, 256), (64, 64)


def random_points(count: int, margin: float = 0.0) -> np.ndarray:
    return np.random.default_rng(0).uniform(margin, 255 - margin, (1, count, 2)).astype(np.float32)


def test_reference_target_is_the_published_patch() -> None:
    # 101 / 4 = 25.25 → 25; 46 / 4 = 11.5 → 12
    heatmap = PatchHeatmap(INPUT, CELLS).encode(np.array([[[101, 46]]], np.float32))['heatmaps'][0]
    assert np.flatnonzero(heatmap.any(axis=0)).tolist() == list(range(22, 29))
    assert np.flatnonzero(heatmap.any(axis=1)).tolist() == list(range(9, 16))
    assert heatmap[12, 22:26].round(3).tolist() == pytest.approx([0.230, 0.520, 0.849, 1.0])
    assert heatmap[9, 22] == pytest.approx(np.exp(-18 / (2 * 1.75**2)))


def test_reference_target_is_cut_at_the_border() -> None:
    codec = PatchHeatmap(INPUT, CELLS)
    whole = codec.encode(np.array([[[128, 128]]], np.float32))['heatmaps'][0, 29:36, 29:36]
    corner = codec.encode(np.array([[[0, 0]], [[255.4, 2]]], np.float32).transpose(1, 0, 2))['heatmaps']
    assert np.array_equal(corner[0, :4, :4], whole[3:, 3:]) and corner[0].sum() == whole[3:, 3:].sum()
    assert corner[1].argmax() == 1 * 64 + 63


def test_reference_trains_missing_points_to_zero() -> None:
    points = np.array([[[50, 50], [-0.1, 50], [50, 256], [60, 60]]], np.float32)
    encoded = PatchHeatmap(INPUT, CELLS).encode(points, np.array([[1, 1, 1, 0]], np.float32))
    assert encoded['heatmaps'].any(axis=(1, 2)).tolist() == [True, False, False, False]
    assert encoded['keypoint_weights'].tolist() == [[1, 1, 1, 1]]


def test_mmposes_own_window_is_off_with_the_reference_sigma() -> None:
    """Why PatchHeatmap exists; when this fails, MMPose's MSRAHeatmap may do."""
    heatmap = MSRAHeatmap(INPUT, CELLS, sigma=1.75).encode(np.array([[[100, 100]]], np.float32))['heatmaps'][0]
    assert heatmap.argmax() != 25 * 64 + 25


def test_reference_decoding_error() -> None:
    """Rounding costs the reference 0.38 cells on average; its quarter steps find nothing in a symmetric target."""
    codec, points = PatchHeatmap(INPUT, CELLS), random_points(4000)
    decoded, scores = codec.decode(codec.encode(points)['heatmaps'])
    errors = np.linalg.norm(decoded - points, axis=-1) / 4
    # The mean distance of a uniform point in a unit square to its centre is 0.3826.
    assert errors.mean() == pytest.approx(0.3826, abs=0.01)
    assert (scores == 1).all()


def test_reference_decoding_moves_a_quarter_to_the_larger_neighbour() -> None:
    heatmap = np.zeros((2, 64, 64), np.float32)
    heatmap[0, 10, 20:23] = 0.5, 1, 0.4
    heatmap[1, 9:12, 20] = 0.3, 1, 0.4
    decoded, _ = PatchHeatmap(INPUT, CELLS).decode(heatmap)
    assert (decoded[0] / 4).tolist() == [[20.75, 10], [20, 10.25]]


@pytest.mark.parametrize('sigma', [1, 1.75, 2, 3])
def test_default_decoding_error(sigma: float) -> None:
    codec, points = SubcellHeatmap(INPUT, CELLS, sigma), random_points(4000)
    decoded, scores = codec.decode(codec.encode(points)['heatmaps'])
    errors = np.linalg.norm(decoded * 255 / 256 - points, axis=-1) * 63 / 255
    assert errors.max() < 0.001
    assert decoded.shape == (1, 4000, 2) and scores.shape == (1, 4000)


def test_mmposes_decoding_is_off_near_the_border() -> None:
    """Why SubcellHeatmap exists; when this fails, MMPose's UDPHeatmap may do."""
    codec, points = UDPHeatmap(INPUT, CELLS, sigma=2), random_points(1000)
    decoded, _ = codec.decode(codec.encode(points)['heatmaps'])
    assert np.linalg.norm(decoded * 255 / 256 - points, axis=-1).max() * 63 / 255 > 0.5


def test_default_target_is_mmposes_without_its_cut() -> None:
    points, visible = random_points(50), np.repeat([[1.0, 0.5, 0, 1, 1]], 10, axis=0).reshape(1, 50)
    ours = SubcellHeatmap(INPUT, CELLS, sigma=2).encode(points, visible)
    theirs = UDPHeatmap(INPUT, CELLS, sigma=2).encode(points, visible)
    assert np.abs(ours['heatmaps'] - theirs['heatmaps']).max() < np.exp(-(3**2) / 2)
    assert np.array_equal(ours['keypoint_weights'], visible)


def test_default_gives_points_far_off_the_crop_no_weight() -> None:
    points = np.array([[[-20, 50], [-30, 50], [50, 275], [50, 285]]], np.float32)
    encoded = SubcellHeatmap(INPUT, CELLS, sigma=2).encode(points)
    assert encoded['keypoint_weights'].tolist() == [[1, 0, 1, 0]]
    assert encoded['heatmaps'].any(axis=(1, 2)).tolist() == [True, False, True, False]
    assert encoded['heatmaps'].dtype == encoded['keypoint_weights'].dtype == np.float32


@given(
    x=st.floats(0, 39),
    y=st.floats(0, 29),
    sigma=st.floats(1, 4),
    height=st.floats(0.05, 20),
)
@settings(deadline=None)
def test_gaussians_of_any_place_width_and_height(x: float, y: float, sigma: float, height: float) -> None:
    rows, columns = np.mgrid[:30, :40]
    heatmap = height * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    (cell,), (score,) = subcell_maximum(heatmap[None])
    # Far cells of a narrow, low Gaussian fall below the floor of the logarithm.
    assert np.abs(cell - [x, y]).max() < 0.05
    assert score == heatmap.max()


def test_decoding_of_noise_is_near_the_largest_cell() -> None:
    heatmaps = np.random.default_rng(0).normal(size=(200, 64, 64)).astype(np.float32)
    cells, scores = subcell_maximum(heatmaps)
    rows, columns = np.divmod(heatmaps.reshape(200, -1).argmax(axis=1), 64)
    assert np.abs(cells - np.stack([columns, rows], axis=1)).max() <= 4.5
    assert np.isfinite(cells).all() and np.array_equal(scores, heatmaps.max(axis=(1, 2)))
    assert subcell_maximum(np.zeros((1, 64, 64)))[0].tolist() == [[0, 0]]


def test_default_family_from_image_to_image() -> None:
    """One affine for pixels and points: a dot in the picture and its annotation meet in the crop, and come back."""
    image = np.zeros((300, 400, 3), np.uint8)
    points = np.array([[[150, 120], [210, 180], [170, 200]]], np.float32)
    for x, y in points[0].astype(int):
        cv2.circle(image, (int(x), int(y)), 6, (255, 255, 255), -1)
    results = dict(img=image, bbox=np.array([[100, 80, 260, 230]], np.float32), keypoints=points)
    results['bbox_rotation'] = np.array([0.0])
    results = TopdownAffine(INPUT, use_udp=True)(GetBBoxCenterScale(padding=1.25)(results))
    crop, inside = results['img'][..., 0].astype(float), results['transformed_keypoints'][0]
    for x, y in inside:
        rows, columns = np.mgrid[:256, :256]
        near = crop * (np.hypot(columns - x, rows - y) < 18)
        centroid = np.array([(near * columns).sum(), (near * rows).sum()]) / near.sum()
        assert np.abs(centroid - (x, y)).max() < 0.1
    codec = SubcellHeatmap(INPUT, CELLS)
    decoded, _ = codec.decode(codec.encode(results['transformed_keypoints'])['heatmaps'])
    scale, centre = results['input_scale'], results['input_center']
    back = decoded / INPUT * scale + centre - 0.5 * scale  # as TopdownPoseEstimator.add_pred_to_datasample
    assert np.abs(back - points).max() < 0.01


def test_default_family_flips_without_a_shift() -> None:
    """Heatmaps of the mirrored crop, mirrored back, are those of the crop (section 4.4 b of the reference)."""
    points = random_points(20, margin=30)
    mirrored = points.copy()
    mirrored[..., 0] = 255 - points[..., 0]
    ours, theirs = SubcellHeatmap(INPUT, CELLS), PatchHeatmap(INPUT, CELLS)
    gap = np.abs(ours.encode(points)['heatmaps'] - ours.encode(mirrored)['heatmaps'][..., ::-1])
    assert gap.max() < 1e-4
    gap = np.abs(theirs.encode(points)['heatmaps'] - theirs.encode(mirrored)['heatmaps'][..., ::-1])
    assert gap.max() > 0.1
