"""Whether an exported file does what PyTorch does, on real faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from facealign.errors import FaceAlignError
from facealign.export.faces import CroppedFaces
from facealign.export.graph import RIGHT_WITHIN
from facealign.inference.model_file import ModelInfo, OnnxModel
from facealign.metrics.calibration import ScoreBin, reliability

BATCH = 32


@dataclass(frozen=True)
class Check:
    """How far a file's points are from PyTorch's, in crop pixels, and what they are worth.

    Attributes:
        share_off: of the points that are further away than the limit of fp32.
        mean_error, max_error: over all points.
        auc, torch_auc: AUC@0.08 of the file and of PyTorch.
        rank_correlation: Spearman's, of the scores and the errors (with its sign turned: higher is better).
        scores: what the scores say and what is true.
    """

    share_off: float
    mean_error: float
    max_error: float
    auc: float
    torch_auc: float
    rank_correlation: float
    scores: tuple[ScoreBin, ...] = ()


# What each kind of file must keep to.
FP32_LIMIT, FP32_SHARE, FP16_MEAN, FP16_AUC, INT8_AUC = 0.02, 0.001, 0.1, 0.001, 0.01


def run_torch(network: Any, info: ModelInfo, faces: CroppedFaces) -> np.ndarray:
    """What MMPose itself predicts, [N, K, 2] in crop pixels: its preprocessing, head and codec, without flipping."""
    from mmpose.structures import PoseDataSample

    found = []
    unit = [(side - 1) / side if info.crop.udp else 1.0 for side in info.input_size]
    with torch.no_grad():
        for start in range(0, len(faces.crops), BATCH):
            crops = faces.crops[start : start + BATCH]
            samples = [PoseDataSample(metainfo=dict(input_size=info.input_size)) for _ in crops]
            inputs = [torch.from_numpy(crop.transpose(2, 0, 1).copy()) for crop in crops]
            batch = network.data_preprocessor(dict(inputs=inputs, data_samples=samples), training=False)
            result = network.head.predict(network.extract_feat(batch['inputs']), batch['data_samples'], test_cfg={})
            found += [instances.keypoints[0] * unit for instances in result]
    return np.stack(found)


def run_onnx(model: OnnxModel, faces: CroppedFaces) -> tuple[np.ndarray, np.ndarray]:
    """What the file predicts: points [N, K, 2] in crop pixels and scores [N, K]."""
    parts = [model(faces.crops[start : start + BATCH]) for start in range(0, len(faces.crops), BATCH)]
    points, scores = zip(*parts)
    return np.concatenate(points), np.concatenate(scores)


def check_file(model: OnnxModel, expected: np.ndarray, faces: CroppedFaces) -> Check:
    """Compare ``model`` with ``expected`` [N, K, 2], PyTorch's points."""
    points, scores = run_onnx(model, faces)
    apart = np.linalg.norm(points - expected, axis=2)
    errors = np.linalg.norm(points - faces.points, axis=2) / faces.scale[:, None] / faces.sizes[:, None]
    known = np.isfinite(errors)
    right_within = RIGHT_WITHIN * model.info.input_size[0] / model.info.crop.padding
    right = np.linalg.norm(points - faces.points, axis=2)[known] < right_within
    return Check(
        share_off=float((apart > FP32_LIMIT).mean()),
        mean_error=float(apart.mean()),
        max_error=float(apart.max()),
        auc=faces.auc(points),
        torch_auc=faces.auc(expected),
        rank_correlation=-rank_correlation(scores[known], errors[known]),
        scores=tuple(reliability(scores[known], right)),
    )


def refuse(check: Check, kind: str, argmax: bool) -> None:
    """Raises FaceAlignError where a file of ``kind`` (fp32, fp16, int8) is not what it should be.

    ``argmax`` says that the head takes a maximum, which may fall on another
    cell where two are nearly alike: one point in a thousand may then differ.
    """
    loss = check.torch_auc - check.auc
    if kind == 'fp32' and check.share_off > (FP32_SHARE if argmax else 0):
        problem = f'{check.share_off:.2%} of its points are over {FP32_LIMIT} px off (most {check.max_error:.3f} px)'
    elif kind == 'fp16' and (check.mean_error > FP16_MEAN or abs(loss) > FP16_AUC):
        problem = f'its points are {check.mean_error:.3f} px off on average, its AUC@0.08 {loss:+.4f}'
    elif kind == 'int8' and loss > INT8_AUC:
        problem = f'it loses {loss:.4f} of AUC@0.08, more than {INT8_AUC}'
    else:
        return
    raise FaceAlignError(f'{kind}: the exported file does not agree with PyTorch: {problem}; nothing was written')


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of two arrays."""
    from scipy.stats import spearmanr

    return float(spearmanr(a, b).statistic)
