"""STAR: principal axes, moments of a map, errors that may slide along a contour."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import facealign.plugin  # noqa: F401
from facealign.models import StarIntegralHead
from facealign.models.star_head import principal_axes

DECODER = dict(type='FaceRegressionLabel', input_size=(128, 64))
length = st.floats(-2, 2, width=32)


def _head(restriction: float = 1.0) -> StarIntegralHead:
    """Whose maps are its input's channels."""
    head = StarIntegralHead(
        in_channels=1,
        in_featuremap_size=(16, 8),
        num_joints=1,
        decoder=DECODER,
        loss=dict(type='L1Loss', use_target_weight=True),
        restriction=restriction,
    )
    with torch.no_grad():
        head.final_layer.weight.fill_(1)
        head.final_layer.bias.zero_()
    return head


def _map(*cells: tuple[int, int]) -> torch.Tensor:
    """All of the map's weight in these cells (x, y), in equal parts."""
    maps = torch.full((1, 1, 8, 16), -100.0)
    for x, y in cells:
        maps[0, 0, y, x] = 100
    return maps


def _sample(point: tuple[float, float], weight: float = 1) -> list:
    labels = SimpleNamespace(keypoint_labels=torch.tensor([[point]]), keypoint_weights=torch.tensor([[weight]]))
    return [SimpleNamespace(gt_instance_labels=labels)]


@given(length, length, length, length)
def test_axes_and_variances_are_the_eigenvectors_and_values(a: float, b: float, c: float, d: float) -> None:
    spread = np.array([[a, b], [c, d]])
    covariance = spread @ spread.T
    axes, variances = principal_axes(*torch.tensor([covariance[0, 0], covariance[1, 1], covariance[0, 1]]))
    np.testing.assert_allclose(variances, np.maximum(np.linalg.eigvalsh(covariance)[::-1], 1e-5), atol=2e-5)
    np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-6)
    whole = axes.numpy().T @ np.diag(np.linalg.eigvalsh(covariance)[::-1]) @ axes.numpy()
    np.testing.assert_allclose(whole, covariance, atol=2e-5)


def test_moments_are_those_of_the_weighted_cells() -> None:
    head, maps = _head(), torch.randn(1, 1, 8, 16)
    points, shares = head((maps,))
    x = (8 * np.arange(16) + 3.5) / 64  # half crops: 64 pixels wide, 32 high
    y = (8 * np.arange(8) + 3.5) / 32
    grid = np.stack(np.meshgrid(x, y)).reshape(2, -1)
    expected = np.cov(grid, aweights=shares.detach().numpy().ravel(), bias=True)
    xx, yy, xy = (moment.item() for moment in head.moments(points, shares))
    np.testing.assert_allclose([xx, yy, xy], [expected[0, 0], expected[1, 1], expected[0, 1]], atol=1e-5)


def test_an_error_along_the_map_counts_in_its_deviations() -> None:
    # Cells 4 and 12 of row 3: the mean is pixel (67.5, 27.5), the deviation along x is half a crop.
    head, maps = _head(restriction=0.5), _map((4, 3), (12, 3))
    x, y = 67.5 / 128, 27.5 / 64
    along = head.loss((maps,), _sample((x + 0.1, y)))
    across = head.loss((maps,), _sample((x, y + 0.1)))
    # 0.1 crops are 0.2 half crops; the mean is over two coordinates; least variance 1e-5 across.
    assert along['loss_kpt'].item() == pytest.approx(0.2 / 0.5 / 2, rel=1e-3)
    assert across['loss_kpt'].item() == pytest.approx(0.2 / 1e-5**0.5 / 2, rel=1e-3)
    assert along['loss_spread'].item() == pytest.approx(0.5 / 2 * (0.5**2 + 1e-5), rel=1e-3)


def test_an_absent_point_costs_nothing() -> None:
    losses = _head().loss((_map((4, 3), (12, 3)),), _sample((9.0, 9.0), weight=0))
    assert [value.item() for value in losses.values()] == [0, 0]


def test_the_loss_of_the_marginals_is_refused() -> None:
    with pytest.raises(ValueError, match='wants marginals=0'):
        StarIntegralHead(in_channels=1, in_featuremap_size=(16, 8), num_joints=1, marginals=1.0, decoder=DECODER)


@pytest.mark.parametrize('maps', [torch.zeros(1, 1, 8, 16), _map((5, 3))], ids=['flat', 'one cell'])
def test_gradients_of_maps_without_a_direction_are_finite(maps: torch.Tensor) -> None:
    maps = maps.requires_grad_()
    sum(_head().loss((maps,), _sample((0.3, 0.4))).values()).backward()
    assert torch.isfinite(maps.grad).all()
