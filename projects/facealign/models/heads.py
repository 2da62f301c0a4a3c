"""The regression head of the 68-point networks."""

from __future__ import annotations

import torch
from mmpose.models.heads import RegressionHead
from mmpose.models.utils.tta import flip_coordinates
from mmpose.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class FaceRegressionHead(RegressionHead):
    """MMPose's ``RegressionHead`` for :class:`facealign.models.codec.FaceRegressionLabel`.

    One linear layer ``[B, in_channels, 1, 1]`` → ``[B, K, 2]`` in the codec's
    unit. The loss is computed in float32 whatever the network's precision;
    flipped test images are brought back in either unit.
    """

    def loss(self, feats: tuple[Tensor, ...], batch_data_samples: list, train_cfg: dict | None = None) -> dict:
        labels = [sample.gt_instance_labels for sample in batch_data_samples]
        weights = torch.cat([label.keypoint_weights for label in labels]).unsqueeze(-1)
        target = torch.cat([label.keypoint_labels for label in labels])
        return dict(loss_kpt=self.loss_module(self.forward(feats).float(), target, weights))

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
