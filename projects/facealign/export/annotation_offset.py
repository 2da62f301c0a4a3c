"""Annotation offset: how far to the right of a network's points annotators place theirs.

On every set at hand the annotated points lie to the right of the predicted ones by about 0.4 % of the face, those of
other systems too, while on drawn faces with exact truth the prediction is even. A network that is trained on mirrored
images as well cannot learn a sideways habit, so it is measured on training faces and added to the prediction:
``annotation_offset`` of :class:`facealign.models.heads.FaceIntegralHead`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from facealign.export.check import run_torch
from facealign.export.faces import crop_faces
from facealign.export.load import load_network, model_info
from facealign.io.coco_images import read_annotated


class Gain(NamedTuple):
    """What an offset changes on the faces of ``path``: AUC@0.08 without and with it."""

    path: Path
    without: float
    with_offset: float


def annotation_offset(predicted: np.ndarray, annotated: np.ndarray, width: int) -> float:
    """Mean sideways distance from predicted to annotated points, as a share of the crop's width.

    Args:
        predicted: [N, K, 2] pixels of the crop, without any offset.
        annotated: [N, K, 2] the same; NaN where not annotated.
        width: of the crop in pixels.

    >>> annotation_offset(np.zeros((1, 2, 2)), np.array([[[1.0, 5], [3, np.nan]]]), 100)
    0.02
    """
    return float(np.nanmean(annotated[..., 0] - predicted[..., 0]) / width)


def fit_annotation_offset(
    config: Any, checkpoint: str, data: Path, checks: Sequence[Path] = ()
) -> tuple[float, list[Gain]]:
    """The offset of a network on the faces of ``data``, and what it changes there and on those of ``checks``.

    Args:
        config: of an integral network; an offset that it has is left out.
        checkpoint: its weights.
        data: JSON file of training faces.
        checks: JSON files of others.

    Returns:
        the offset as a share of the crop's width, and the gains in the order of the files.

    Raises:
        FaceAlignError: a file is missing, or they do not go together.
    """
    config = copy.deepcopy(config)
    config.model.head.annotation_offset = 0
    info = model_info(config)
    network = load_network(config, checkpoint)
    width = info.input_size[0]
    offset = None
    gains = []
    for path in (data, *checks):
        faces = crop_faces(read_annotated(path)[1], info)
        points = run_torch(network, info, faces)
        if offset is None:
            offset = annotation_offset(points, faces.points, width)
        gains.append(Gain(path, faces.auc(points), faces.auc(points + [offset * width, 0])))
    assert offset is not None
    return offset, gains
