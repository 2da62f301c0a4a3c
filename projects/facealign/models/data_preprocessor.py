"""From a list of crops to the batch that a network takes."""

from __future__ import annotations

import torch
from mmpose.models import PoseDataPreprocessor
from mmpose.registry import MODELS


@MODELS.register_module()
class FaceDataPreprocessor(PoseDataPreprocessor):
    """MMPose's ``PoseDataPreprocessor`` for crops of one size, in a fraction of its time on CPU.

    Crops [3, H, W] become a batch [B, 3, H, W] in channels-last order, which
    is theirs too; its numbers are MMPose's. Samples that are on the CPU and
    stay there are not copied. Nothing is padded.
    """

    def cast_data(self, data: dict) -> dict:
        """The batch on the network's device; on CPU, where loaders leave it, as it is."""
        return data if self.device.type == 'cpu' else super().cast_data(data)

    def forward(self, data: dict, training: bool = False) -> dict:
        data = self.cast_data(data)
        samples = data.get('data_samples')
        crops = torch.stack([image.permute(1, 2, 0) for image in data['inputs']])
        height, width = crops.shape[1:3]
        batch = torch.empty(crops.shape, device=crops.device)
        for channel in range(3):  # several times as fast as an index over the last axis
            batch[..., 2 - channel if self._channel_conversion else channel] = crops[..., channel]
        if self._enable_normalize:
            # By rows of width x 3 numbers: again for speed.
            rows = batch.view(len(batch), height, -1)
            rows.sub_(self.mean.flatten().repeat(width)).div_(self.std.flatten().repeat(width))
        inputs = batch.permute(0, 3, 1, 2)
        for sample in samples or ():
            sample.set_metainfo(dict(batch_input_shape=(height, width), pad_shape=(height, width)))
        if training and self.batch_augments is not None:
            for augment in self.batch_augments:
                inputs, samples = augment(inputs, samples)
        return dict(inputs=inputs, data_samples=samples)
