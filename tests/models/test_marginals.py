"""The divergence of a map's marginals from Gaussians, against SciPy and known cases."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import rel_entr, softmax
from scipy.stats import norm

import facealign.plugin  # noqa: F401
from facealign.models import FaceIntegralHead
from facealign.models.marginals import marginal_divergence

COLUMNS, ROWS = (np.arange(16) + 0.5) / 16, (np.arange(8) + 0.5) / 8
CENTRES = (torch.tensor(COLUMNS, dtype=torch.float32), torch.tensor(ROWS, dtype=torch.float32))


def _gaussian(centres: np.ndarray, at: float) -> np.ndarray:
    """Half a cell wide, as a distribution over the cells."""
    shares = norm.pdf(centres, at, 0.5 / len(centres))
    return shares / shares.sum()


def test_is_the_mean_relative_entropy_of_the_two_marginals() -> None:
    generator = np.random.default_rng(0)
    maps = softmax(generator.normal(size=(2, 3, 8, 16)), axis=(2, 3))
    target, weights = generator.uniform(0.13, 0.87, (2, 3, 2)), np.array([[1, 1, 0], [0.5, 1, 1]])
    each = [
        [
            rel_entr(_gaussian(COLUMNS, x), maps[b, k].sum(0)).sum()
            + rel_entr(_gaussian(ROWS, y), maps[b, k].sum(1)).sum()
            for k, (x, y) in enumerate(target[b])
        ]
        for b in range(2)
    ]
    found = marginal_divergence(*(torch.tensor(maps), CENTRES, torch.tensor(target), torch.tensor(weights)))
    assert found.item() == pytest.approx((np.array(each) * weights).sum() / weights.sum() / 2, rel=1e-4)


@pytest.mark.parametrize(('x', 'y'), [(0.4321, 0.27), (0.5 + 1 / 64, 0.5 + 1 / 32), (1.22 / 16, 6.78 / 8)])
def test_the_goal_costs_nothing_and_means_its_point(x: float, y: float) -> None:
    goal = np.outer(_gaussian(ROWS, y), _gaussian(COLUMNS, x))
    found = marginal_divergence(torch.tensor(goal)[None, None], CENTRES, torch.tensor([[[x, y]]]), torch.ones(1, 1))
    assert found.item() == pytest.approx(0, abs=1e-5)
    away = marginal_divergence(torch.tensor(goal)[None, None], CENTRES, torch.tensor([[[x, 0.5]]]), torch.ones(1, 1))
    assert away > 0.001  # the point does count
    # The head reads the expectation: the Gaussian's is its centre, to 0.026 of a cell.
    assert (goal.sum(0) * COLUMNS).sum() == pytest.approx(x, abs=0.0265 / 16)
    assert (goal.sum(1) * ROWS).sum() == pytest.approx(y, abs=0.0265 / 8)


@pytest.mark.parametrize(
    'point', [(-0.2, 0.5), (0.06, 0.5), (0.94, 0.5), (1.2, 0.5), (0.5, -0.1), (0.5, 0.12), (0.5, 0.88)]
)
def test_points_within_a_cell_of_the_edge_or_beyond_are_left_out(point: tuple[float, float]) -> None:
    maps = torch.full((1, 2, 8, 16), 1 / 128)
    both = marginal_divergence(maps, CENTRES, torch.tensor([[[0.5, 0.5], point]]), torch.ones(1, 2))
    first = marginal_divergence(maps[:, :1], CENTRES, torch.tensor([[[0.5, 0.5]]]), torch.ones(1, 1))
    assert both.item() == pytest.approx(first.item()) and both > 1
    none = marginal_divergence(maps[:, :1], CENTRES, torch.tensor([[point]]), torch.ones(1, 1))
    assert none == 0


@pytest.mark.parametrize('gap', [10, 30, 60, 400])
def test_a_map_far_from_its_point_is_drawn_to_it(gap: float) -> None:
    logits = torch.zeros(1, 1, 8, 16)
    logits[..., 0, 0] = gap
    logits.requires_grad_()
    maps = torch.softmax(logits.flatten(2), dim=-1).view_as(logits)
    marginal_divergence(maps, CENTRES, torch.tensor([[[0.8, 0.8]]]), torch.ones(1, 1)).backward()
    assert torch.isfinite(logits.grad).all()
    if gap < 100:  # beyond, the share of the right cell is no number any more
        assert logits.grad[..., 0, 0] > 0.1


def test_head_adds_it_by_its_weight() -> None:
    torch.manual_seed(0)
    labels = SimpleNamespace(keypoint_labels=torch.rand(1, 2, 2), keypoint_weights=torch.tensor([[1.0, 1.0]]))
    losses = {}
    for weight in (0, 1, 3):
        head = FaceIntegralHead(
            in_channels=2,
            in_featuremap_size=(16, 8),
            num_joints=2,
            decoder=dict(type='FaceRegressionLabel', input_size=(128, 64)),
            loss=dict(type='L1Loss', use_target_weight=True),
            marginals=weight,
        )
        with torch.no_grad():
            head.final_layer.weight.copy_(torch.eye(2)[..., None, None])
            head.final_layer.bias.zero_()
        maps = torch.linspace(-1, 1, 256).reshape(1, 2, 8, 16)
        losses[weight] = head.loss((maps,), [SimpleNamespace(gt_instance_labels=labels)])
    assert losses[0].keys() == {'loss_kpt'}
    assert losses[1]['loss_kpt'] == losses[3]['loss_kpt'] == losses[0]['loss_kpt']
    points, shares = head((maps,))
    axes = (head.linspace_x.flatten(), head.linspace_y.flatten())
    expected = marginal_divergence(shares, axes, labels.keypoint_labels, labels.keypoint_weights)
    assert losses[1]['loss_marginals'].item() == pytest.approx(expected.item()) and expected > 0.1
    assert losses[3]['loss_marginals'].item() == pytest.approx(3 * losses[1]['loss_marginals'].item())
