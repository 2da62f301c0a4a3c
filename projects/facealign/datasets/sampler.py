"""Samples that carry what their random augmentation is drawn from."""

from __future__ import annotations

from collections.abc import Iterator

from mmengine.dataset import DefaultSampler
from mmpose.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class SeededSampler(DefaultSampler):
    """MMEngine's sampler; each index comes as ``(seed, epoch, index)``.

    With :class:`facealign.datasets.face_dataset.FaceDataset` a run that was
    interrupted and resumed sees the same augmented images as one that was not.
    """

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        for index in super().__iter__():
            yield self.seed, self.epoch, index
