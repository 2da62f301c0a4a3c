"""The integral head with a loss along the axes of each point's map."""

from __future__ import annotations

import torch
from mmpose.registry import MODELS
from torch import Tensor

from facealign.models.heads import FaceIntegralHead, coordinate_loss


@MODELS.register_module()
class StarIntegralHead(FaceIntegralHead):
    """:class:`FaceIntegralHead` trained by STAR (Zhou et al., 2023, "Reducing semantic ambiguity").

    A point's map has a covariance; the error is taken along its two principal
    axes and divided by the deviation there, so that a point on a contour may
    slide along it. Lengths are in half crops, as in the paper. The axes have
    no gradient, the deviations do.

    Args:
        restriction: weight of the variances' sum in the loss, which keeps the
            maps from spreading (w of the paper); half of it counts, as half of
            the distance's sum over the two axes does in L1's mean.
        kwargs: of :class:`FaceIntegralHead`; its ``loss`` is the distance. The
            division comes before it, which for L1 is the paper's.

    Raises:
        ValueError: ``marginals`` is given, which holds the maps' width by another loss.
    """

    def __init__(self, restriction: float = 1.0, **kwargs) -> None:
        super().__init__(**kwargs)
        if self.marginals:
            raise ValueError('StarIntegralHead wants marginals=0: either loss says how wide a map is')
        self.restriction = restriction

    def loss(self, inputs: tuple[Tensor, ...], batch_data_samples: list, train_cfg: dict | None = None) -> dict:
        points, maps = self.forward(inputs)
        axes, variances = principal_axes(*self.moments(points, maps))
        project = axes / variances.sqrt().unsqueeze(-1)
        weights = torch.cat([sample.gt_instance_labels.keypoint_weights for sample in batch_data_samples])
        spread = (variances.sum(dim=-1) * weights).mean()  # over absent points too, as L1Loss

        def along_axes(share: Tensor) -> Tensor:
            return (project * (2 * share - 1).unsqueeze(-2)).sum(dim=-1)

        losses = coordinate_loss(self.loss_module, points, batch_data_samples, along_axes)
        return dict(**losses, loss_spread=self.restriction / 2 * spread)

    def moments(self, points: Tensor, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Points [B, K, 2] and maps [B, K, H, W] → variance along x and y and their covariance, each [B, K]."""
        x, y = self.linspace_x.float().flatten(), self.linspace_y.float().flatten()
        xx = (maps.sum(dim=2) * x**2).sum(dim=-1) - points[..., 0] ** 2
        yy = (maps.sum(dim=3) * y**2).sum(dim=-1) - points[..., 1] ** 2
        xy = ((maps * x).sum(dim=-1) * y).sum(dim=-1) - points[..., 0] * points[..., 1]
        return 4 * xx, 4 * yy, 4 * xy


def principal_axes(xx: Tensor, yy: Tensor, xy: Tensor, least: float = 1e-5) -> tuple[Tensor, Tensor]:
    """Covariances [...] → unit axes [..., 2, 2], one a row and without gradient, and their variances [..., 2].

    Closed form of a symmetric 2 × 2 matrix, the longer axis first; variances
    are kept at ``least`` or more.
    """
    half = (xx - yy) / 2
    radius = (half**2 + xy**2 + 1e-12).sqrt()
    variances = torch.stack([(xx + yy) / 2 + radius, (xx + yy) / 2 - radius], dim=-1).clamp(min=least)
    angle = (torch.atan2(xy, half) / 2).detach()
    longer = torch.stack([angle.cos(), angle.sin()], dim=-1)
    shorter = torch.stack([-angle.sin(), angle.cos()], dim=-1)
    return torch.stack([longer, shorter], dim=-2), variances
