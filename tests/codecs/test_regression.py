"""The regression targets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import facealign.plugin  # noqa: F401
from facealign.codecs.regression import FaceRegressionLabel


@given(st.sampled_from(['crop', 'percent', 'pixel']), st.integers(16, 512), st.integers(16, 512), st.integers(0, 1000))
def test_decode_inverts_encode_outside_the_crop_too(unit: str, width: int, height: int, seed: int) -> None:
    codec = FaceRegressionLabel((width, height), unit)
    points = np.random.default_rng(seed).uniform(-0.5, 1.5, (2, 68, 2)) * (width, height)
    encoded = codec.encode(points.astype(np.float32))
    assert (encoded['keypoint_weights'] == 1).all()
    decoded, scores = codec.decode(encoded['keypoint_labels'])
    np.testing.assert_allclose(decoded, points, rtol=1e-5, atol=1e-3)
    assert scores.shape == (2, 68)


def test_units_and_weights_by_hand() -> None:
    points = np.array([[[32.0, 96.0], [-12.8, 0.0]]], np.float32)
    visible = np.array([[1.0, 0.0]], np.float32)
    encoded = FaceRegressionLabel((128, 64)).encode(points, visible)
    np.testing.assert_allclose(encoded['keypoint_labels'], [[[0.25, 1.5], [-0.1, 0.0]]])
    np.testing.assert_array_equal(encoded['keypoint_weights'], visible)
    percent = FaceRegressionLabel((128, 64), unit='percent').encode(points, visible)
    np.testing.assert_allclose(percent['keypoint_labels'], [[[25, 150], [-10, 0]]], rtol=1e-6)
    pixel = FaceRegressionLabel((128, 64), unit='pixel').encode(points, visible)
    np.testing.assert_array_equal(pixel['keypoint_labels'], points)


def test_unknown_unit() -> None:
    with pytest.raises(ValueError, match='unit must be one of crop, percent, pixel'):
        FaceRegressionLabel((128, 128), unit='metre')
