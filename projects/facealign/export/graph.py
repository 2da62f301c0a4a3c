"""The module that is exported: crops in, points in crop pixels and scores out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from facealign.export.decode import find_decoder
from facealign.inference.model_file import ModelInfo

# A point counts as right within this share of the face (the longer side of its points' rectangle).
RIGHT_WITHIN = 0.05


class LandmarkGraph(nn.Module):
    """An MMPose top-down estimator with its decoding and scores as one module.

    ``forward``: normalised crops [N, 3, H, W] → points [N, K, 2] in pixels of
    the crop, and scores [N, K], the estimated probability that a point is right
    to within ``RIGHT_WITHIN`` of the face: logistic in its doubt and in the
    mean doubt of its face, logit(score) = offset[k] + slope[k] · doubt[k] +
    doubt · context, all fitted by :mod:`facealign.export.scores`. Where the head
    gives no doubt, a face's is features · weights.

    Args:
        network: the estimator.
        info: of the model file.
        half: run the network itself in 16 bits.
    """

    unit: Tensor
    offset: Tensor
    slope: Tensor
    context: Tensor
    weights: Tensor

    def __init__(self, network: Any, info: ModelInfo, half: bool = False) -> None:
        super().__init__()
        self.network, self.half_precision = network, half
        if half:
            network.half()
        self._decode = find_decoder(network.head)
        width, height = info.input_size
        # MMPose's input space counts to the crop's outer edges; with UDP, pixels end at the outermost centres.
        scale = [(width - 1) / width, (height - 1) / height] if info.crop.udp else [1.0, 1.0]
        count = info.markup.num_keypoints
        self.register_buffer('unit', torch.tensor(scale))
        self.register_buffer('offset', torch.zeros(count))
        self.register_buffer('slope', torch.zeros(count))
        self.register_buffer('context', torch.zeros(count, 1))
        self.register_buffer('weights', torch.zeros(0, 1))
        self.right_within = RIGHT_WITHIN * width / info.crop.padding

    def predict(self, crops: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        """Crops [N, 3, H, W] → points [N, K, 2], doubt [N, K] or None, and the features' means [N, C]."""
        feats = self.network.extract_feat(crops.half() if self.half_precision else crops)
        points, doubt = self._decode(self.network.head, feats)
        features = feats[-1].float()
        return points * self.unit, doubt, features.mean(dim=(2, 3)) if features.dim() == 4 else features

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        points, doubt, features = self.predict(crops)
        if doubt is None and not self.weights.numel():
            return points, (torch.zeros_like(points[..., 0]) + self.offset).sigmoid()
        if doubt is None:
            doubt = (features @ self.weights).expand(-1, len(self.offset))
        return points, (self.offset + self.slope * doubt + doubt @ self.context).sigmoid()
