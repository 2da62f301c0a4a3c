"""Heads that regress coordinates: from a feature vector, or as the expectation of a map."""

from __future__ import annotations

from collections.abc import Callable

import torch
from mmpose.models.heads import IntegralRegressionHead, RegressionHead
from mmpose.models.utils.tta import flip_coordinates
from mmpose.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

from facealign.models.marginals import marginal_divergence


def coordinate_loss(
    loss_module: Callable[..., Tensor],
    predicted: Tensor,
    batch_data_samples: list,
    change: Callable[[Tensor], Tensor] = lambda points: points,
) -> dict:
    """The loss of predicted points [B, K, 2], in the codec's unit, after the same ``change`` to them and the target."""
    labels = [sample.gt_instance_labels for sample in batch_data_samples]
    weights = torch.cat([label.keypoint_weights for label in labels]).unsqueeze(-1)
    target = torch.cat([label.keypoint_labels for label in labels])
    return dict(loss_kpt=loss_module(change(predicted), change(target), weights))


@MODELS.register_module()
class FaceRegressionHead(RegressionHead):
    """MMPose's ``RegressionHead`` for :class:`facealign.codecs.regression.FaceRegressionLabel`.

    One linear layer ``[B, in_channels, 1, 1]`` → ``[B, K, 2]`` in the codec's
    unit. In training it and the loss are computed in float32 whatever the
    network's precision; flipped test images are brought back in either unit.
    """

    def loss(self, feats: tuple[Tensor, ...], batch_data_samples: list, train_cfg: dict | None = None) -> dict:
        # In bfloat16 a point at 100 pixels would come in steps of half a pixel.
        with torch.autocast(feats[-1].device.type, enabled=False):
            predicted = self.forward(tuple(feature.float() for feature in feats))
        return coordinate_loss(self.loss_module, predicted, batch_data_samples)

    def predict(self, feats: tuple[Tensor, ...] | list, batch_data_samples: list, test_cfg: dict | None = None) -> list:
        if not (test_cfg or {}).get('flip_test', False):
            return self.decode(self.forward(feats).float().unsqueeze(1))
        plain, mirrored = feats
        meta = batch_data_samples[0].metainfo
        # flip_coordinates works in shares of the crop.
        unit = self.fc.weight.new_tensor(self.decoder.input_size) / self.fc.weight.new_tensor(self.decoder.scale)
        back = flip_coordinates(
            self.forward(mirrored).float() / unit,
            flip_indices=meta['flip_indices'],
            shift_coords=True,
            input_size=meta['input_size'],
        )
        return self.decode(((self.forward(plain).float() + back * unit) / 2).unsqueeze(1))


@MODELS.register_module()
class FaceIntegralHead(IntegralRegressionHead):
    """MMPose's ``IntegralRegressionHead`` (Sun et al., 2018) over one convolution, for one or several markups.

    Each point's coordinate is the expectation of its softmax map. Unlike in
    MMPose a cell stands for its centre, so that a mirrored map gives the
    mirrored point; the loss is computed in float32 whatever the network's
    precision. The decoder is :class:`facealign.codecs.regression.FaceRegressionLabel`.

    Args:
        points: range (first, end) of the points that prediction and export
            give, where training has those of several markups; None for all.
        marginals: weight of :func:`facealign.models.marginals.marginal_divergence` in the loss; it is a mean over the
            present points, MMPose's L1Loss one over all.
        annotation_offset: how far annotators place points to the right of where the network sees them, as a share of
            the crop's width (:mod:`facealign.export.annotation_offset` fits it); added in prediction and export,
            not in training, whose mirrored images cannot show it.
        kwargs: of MMPose's head; ``in_featuremap_size`` is (width, height) of its map.
    """

    def __init__(
        self, points: tuple[int, int] | None = None, marginals: float = 0, annotation_offset: float = 0, **kwargs
    ) -> None:
        super().__init__(deconv_out_channels=None, **kwargs)
        self.points = points
        self.marginals = marginals
        self.annotation_offset = annotation_offset
        for axis, cells, pixels in zip((self.linspace_x, self.linspace_y), self.heatmap_size, self.decoder.input_size):
            axis.data += (1 / cells - 1 / pixels) / 2

    def forward(self, feats: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """[B, in_channels, H, W] → points [B, K, 2] as shares of the crop and their maps [B, K, H, W], float32."""
        first, end = (0, self.num_joints) if self.training or self.points is None else self.points
        layer = self.final_layer
        logits = F.conv2d(feats[-1], layer.weight[first:end], layer.bias[first:end], padding=layer.padding)
        width, height = self.heatmap_size
        # Sizes as numbers, not the tensor's: the exported graph need not find them out.
        cells = (logits.float() * self.beta).reshape(-1, end - first, height * width)
        maps = cells.softmax(dim=2).reshape(-1, end - first, height, width)
        # Sums over one axis first: the exporter's graph and the training then do little work on the maps.
        x = (maps.sum(dim=2) * self.linspace_x.float().flatten()).sum(dim=-1)
        y = (maps.sum(dim=3) * self.linspace_y.float().flatten()).sum(dim=-1)
        return torch.stack([x, y], dim=-1), maps

    def decode(self, batch_outputs: Tensor) -> list:
        # After a flip test's mean, in which an offset of each part would cancel out.
        return super().decode(batch_outputs + batch_outputs.new_tensor([self.annotation_offset, 0]))

    def loss(self, inputs: tuple[Tensor, ...], batch_data_samples: list, train_cfg: dict | None = None) -> dict:
        points, maps = self.forward(inputs)
        losses = coordinate_loss(self.loss_module, points, batch_data_samples)
        if self.marginals:
            labels = [sample.gt_instance_labels for sample in batch_data_samples]
            divergence = marginal_divergence(
                maps,
                (self.linspace_x.float().flatten(), self.linspace_y.float().flatten()),
                torch.cat([label.keypoint_labels for label in labels]),
                torch.cat([label.keypoint_weights for label in labels]),
            )
            losses['loss_marginals'] = self.marginals * divergence
        return losses
