"""A loss for the maps of an integral head."""

from __future__ import annotations

import torch
from mmengine.dist import all_reduce
from torch import Tensor

_DEVIATION = 0.5  # cells; a narrower Gaussian's mean over the cells is off its centre, this one's by 0.026 at most


def marginal_divergence(maps: Tensor, centres: tuple[Tensor, Tensor], target: Tensor, weights: Tensor) -> Tensor:
    """How far the maps are from small Gaussians around their points.

    A Gaussian around the annotated x is compared with the map's sums over its
    columns, one around y with those over its rows, by the Kullback-Leibler
    divergence of the map from the Gaussian, KL(Gaussian ‖ map). Regularised
    maps come from Nibali et al., 2018, who compare in two dimensions, the
    labels along one axis from SimCC (Li et al., 2022). An expectation alone
    does not say where on the map its weight should lie; this does, and the
    network learns faster (docs/results/runs.md).

    Args:
        maps: [B, K, H, W], each of which sums to 1.
        centres: where the W columns and the H rows lie, in the target's unit, evenly spaced over a crop of size 1.
        target: points [B, K, 2] (x, y) as shares of the crop; those outside of it, or within a
            cell of its edge, where a Gaussian would be cut, are left out.
        weights: [B, K], of each point.

    Returns:
        the weighted mean over the points that are not left out and the two axes, in nats. Of several processes,
            the mean of their results is the mean over all their points.
    """
    inside, divergence = weights, torch.zeros_like(weights)
    for axis, (marginal, at) in enumerate(zip((maps.sum(dim=2), maps.sum(dim=3)), centres)):
        cells = (target[..., axis, None] - at) * at.numel()
        inside = inside * (cells[..., 0] >= 0.5) * (cells[..., -1] <= -0.5)
        goal = torch.softmax(-(cells**2) / (2 * _DEVIATION**2), dim=-1).clamp(min=1e-8)
        # The floor is low: below it a map in the wrong place would get no gradient.
        divergence = divergence + (goal * (goal.log() - marginal.clamp(min=1e-30).log())).sum(dim=-1)
    weight = inside.sum()
    all_reduce(weight, op='mean')
    return (divergence * inside).sum() / weight.clamp(min=1) / 2
