"""Any MMDetection model as a face detector. Needs torch and mmdet, which nothing else here does."""

from __future__ import annotations

import numpy as np

from facealign.detection.base import sorted_boxes
from facealign.errors import FaceAlignError


class MMDetDetector:
    """A detector trained with MMDetection: YOLOv3, YOLOX, RTMDet, …

    Args:
        files: ``CONFIG+CHECKPOINT``.
        category: the class whose boxes are faces.
        score_threshold: boxes with a lower score are left out.
        device: as torch names it.

    Raises:
        FaceAlignError: mmdet is not installed, or the files do not go together.
    """

    def __init__(self, files: str, category: int = 0, score_threshold: float = 0.3, device: str = 'cpu') -> None:
        config, _, checkpoint = files.partition('+')
        try:
            from facealign import compat

            compat.apply()
            from mmdet.apis import inference_detector, init_detector
        except ImportError as error:
            raise FaceAlignError(
                f'mmdet: not installed ({error}); see requirements/, or choose another detector'
            ) from error
        try:
            self._model = init_detector(config, checkpoint or None, device=device)
        except Exception as error:  # configs are code: anything may come out of them
            raise FaceAlignError(f'{files}: MMDetection cannot load it ({type(error).__name__}: {error})') from error
        self._infer = inference_detector
        self._category, self._threshold = category, score_threshold

    def __call__(self, image: np.ndarray) -> np.ndarray:
        found = self._infer(self._model, image).pred_instances.cpu().numpy()
        keep = (found.labels == self._category) & (found.scores >= self._threshold)
        return sorted_boxes(np.column_stack([found.bboxes[keep], found.scores[keep]]).tolist())
