"""Training a network by what a better one sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from torch import Tensor

from facealign.errors import FaceAlignError
from facealign.export.load import load_network
from facealign.utils.config_file import read_config


@MODELS.register_module()
class DistilledPoseEstimator(TopdownPoseEstimator):
    """MMPose's ``TopdownPoseEstimator`` whose targets come in part from a teacher (after Hinton et al., 2015).

    The teacher sees the same augmented crop. An annotated point's target is
    the mean of annotation and teacher, weighted by ``share``; any other point
    gets the teacher's position, at the weight ``share``. The teacher is no
    part of the checkpoint: test and export use the student's own config.

    Args:
        teacher: config file of the teacher; it must have the student's input
            (size, mean, deviation) and codec, and its points.
        teacher_weights: its checkpoint.
        share: of the teacher in a target, 0 to 1.
        teacher_flip: whether the teacher's points are the mean of those it sees in the crop and in its mirror image.
        kwargs: of MMPose's estimator, which is the student.

    Raises:
        FaceAlignError: the teacher's files are missing or do not fit the student; its number of points shows in the
            first step.
    """

    def __init__(
        self, teacher: str, teacher_weights: str, share: float = 0.5, teacher_flip: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not 0 <= share <= 1:
            raise ValueError(f'DistilledPoseEstimator wants 0 <= share <= 1, not {share}')
        self.share = share
        self.teacher_flip = teacher_flip
        self._teacher_config = teacher
        # In a tuple, a module is not registered: neither trained nor saved with the student.
        self._teacher = (_load_teacher(teacher, teacher_weights, kwargs),)

    def loss(self, inputs: Tensor, data_samples: list) -> dict:
        """The student's loss of images [B, 3, H, W] against the mixed targets, which stay in ``data_samples``."""
        taught = self._taught(inputs)
        if self.teacher_flip:
            mirrored = self._taught(inputs.flip(-1))
            taught = (taught + self._flipped(mirrored, data_samples[0].metainfo['flip_indices'])) / 2
        for sample, points in zip(data_samples, taught, strict=True):
            labels = sample.gt_instance_labels
            if labels.keypoint_labels.shape[1] != len(points):
                raise FaceAlignError(
                    f'{self._teacher_config}: the teacher has {len(points)} points, '
                    f'the student {labels.keypoint_labels.shape[1]}'
                )
            annotated = (labels.keypoint_weights > 0)[..., None]
            mixed = torch.lerp(labels.keypoint_labels, points[None], self.share)
            labels.keypoint_labels = torch.where(annotated, mixed, points[None])
            labels.keypoint_weights = torch.where(annotated[..., 0], labels.keypoint_weights, self.share)
        return super().loss(inputs, data_samples)

    @torch.no_grad()
    def _taught(self, inputs: Tensor) -> Tensor:
        teacher = self._teacher[0].to(inputs.device)
        features = teacher.extract_feat(inputs)
        with torch.autocast(inputs.device.type, enabled=False):  # bfloat16 has steps of half a pixel at 100
            points = teacher.head(tuple(feature.float() for feature in features))
        return points[0] if isinstance(points, tuple) else points

    def _flipped(self, points: Tensor, flip_indices: Sequence[int]) -> Tensor:
        """Points [B, K, 2] of mirrored crops, as those of the crops."""
        codec = self.head.decoder
        flipped = points[:, flip_indices]  # a copy
        unit = (getattr(codec, 'scale', None) or codec.input_size)[0]
        flipped[..., 0] = (codec.input_size[0] - 1) / unit - flipped[..., 0]
        return flipped


def _load_teacher(path: str, weights: str, student: dict) -> TopdownPoseEstimator:
    config = read_config(path)
    model = config.get('model', {})
    for what, ours, theirs in (
        ('codec', student['head']['decoder'], model.get('head', {}).get('decoder')),
        ('image normalisation', student.get('data_preprocessor'), model.get('data_preprocessor')),
    ):
        if ours != theirs:
            raise FaceAlignError(f"{path}: its {what} is not the student's: {theirs}, not {ours}")
    if 'points' in model['head']:
        model['head']['points'] = None  # every markup's
    teacher = load_network(config, weights)
    return teacher.requires_grad_(False).to(memory_format=torch.channels_last)
