"""A config and checkpoint used as a model file is, without exporting it first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from facealign.errors import FaceAlignError
from facealign.export.graph import LandmarkGraph
from facealign.export.load import load_network, model_info
from facealign.inference.model_file import Normaliser
from facealign.utils.config_file import read_config


class TorchModel:
    """An MMPose top-down model in the place of :class:`facealign.inference.model_file.OnnxModel`.

    Its scores are not fitted: they are all alike. Export the model for those.

    Args:
        config, checkpoint: files.
        device: as torch names it.

    Raises:
        FaceAlignError: a file is missing, they do not go together, or the device is not available.
    """

    def __init__(self, config: str, checkpoint: str, device: str = 'cpu') -> None:
        if device == 'cuda' and not torch.cuda.is_available():
            raise FaceAlignError('device cuda: this PyTorch cannot use it; take cpu')
        settings = read_config(config, 'model')
        self.info = model_info(settings, name=Path(config).stem)
        self.name = self.info.name
        self._device = device
        self._graph = LandmarkGraph(load_network(settings, checkpoint), self.info).to(device).eval()
        self._normalise = Normaliser(self.info)

    def __call__(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Crops [N, H, W, 3] uint8 BGR → points [N, K, 2] in crop pixels and scores [N, K]."""
        with torch.no_grad():
            points, scores = self._graph(torch.from_numpy(self._normalise(crops)).to(self._device))
        return points.cpu().numpy().astype(np.float64), scores.cpu().numpy().astype(np.float64)
