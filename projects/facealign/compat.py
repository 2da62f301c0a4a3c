"""What exists only because a dependency is old; each part says when it can go.

:func:`apply` is called by ``facealign.plugin`` before MMPose is imported and
does each part once.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import types
from typing import Any, NoReturn

import numpy as np
import torch

from facealign.errors import FaceAlignError


def apply() -> None:
    """Apply every part; calling it again changes nothing."""
    _stand_in_for_mmcv_ext()
    trust_mmengine_checkpoints()
    _let_mmpose_read_bfloat16()
    _let_mmpose_draw_circles()  # last: it imports MMPose's models


def _stand_in_for_mmcv_ext() -> None:
    """Let ``import mmpose.models`` succeed beside mmcv-lite.

    MMPose imports mmcv's compiled operators for heads this project does not
    use; mmcv-lite has none. With the full mmcv the stand-in steps aside.
    Removable once MMPose imports its deformable heads lazily (1.3.2 does not).
    """
    if 'mmcv._ext' in sys.modules or importlib.util.find_spec('mmcv._ext') is not None:
        return
    stand_in = types.ModuleType('mmcv._ext')
    stand_in.__file__ = __file__
    # A spec without loader: MMEngine then still sees that the full mmcv is missing.
    stand_in.__spec__ = importlib.machinery.ModuleSpec('mmcv._ext', None)
    stand_in.nms = _nms  # type: ignore[attr-defined]

    def missing(name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)

        def raise_when_called(*args: Any, **kwargs: Any) -> NoReturn:
            raise RuntimeError(f'mmcv operator "{name}" needs the full mmcv; mmcv-lite is installed')

        return raise_when_called

    stand_in.__getattr__ = missing  # type: ignore[method-assign]
    sys.modules['mmcv._ext'] = stand_in


def _nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float, offset: int) -> torch.Tensor:
    """Greedy non-maximum suppression: ``boxes`` [N, 4] xyxy → kept indices, best score first."""
    order = scores.argsort(descending=True)
    area = (boxes[:, 2] - boxes[:, 0] + offset) * (boxes[:, 3] - boxes[:, 1] + offset)
    keep = []
    while order.numel():
        best, order = order[0], order[1:]
        keep.append(best)
        top_left = torch.maximum(boxes[best, :2], boxes[order, :2])
        bottom_right = torch.minimum(boxes[best, 2:], boxes[order, 2:])
        overlap = (bottom_right - top_left + offset).clamp(min=0).prod(dim=1)
        order = order[overlap / (area[best] + area[order] - overlap) <= iou_threshold]
    return torch.stack(keep) if keep else order


def trust_mmengine_checkpoints() -> None:
    """Let torch's safe loader read what MMEngine 0.10 puts beside the weights.

    torch >= 2.6 loads with ``weights_only=True``; MMEngine's checkpoints also
    hold HistoryBuffers and NumPy scalars. Only these are allowed: HistoryBuffer
    pickles its statistics through ``builtins.getattr``, which here finds
    nothing but those statistics. Removable once MMEngine registers its own
    types (0.10.7 does not).

    Raises:
        FaceAlignError: an older torch, which runs whatever code a checkpoint holds.
    """
    if tuple(int(part) for part in torch.__version__.split('.')[:2]) < (2, 6):
        raise FaceAlignError(f'torch {torch.__version__} runs code hidden in checkpoints; install torch 2.6 or newer')
    from mmengine.logging.history_buffer import HistoryBuffer

    multiarray = sys.modules[type(np.float64(0)).__reduce__(np.float64(0))[0].__module__]  # numpy 1: core, 2: _core
    dtypes = [type(np.dtype(kind)) for kind in ('f2', 'f4', 'f8', 'i4', 'i8', 'u1', '?')]
    torch.serialization.add_safe_globals(
        [
            HistoryBuffer,
            np.dtype,
            np.ndarray,
            *dtypes,
            (_statistic, 'builtins.getattr'),
            *(
                (getattr(multiarray, name), f'{package}.multiarray.{name}')
                for package in ('numpy.core', 'numpy._core')
                for name in ('scalar', '_reconstruct')
            ),
        ]
    )


def _statistic(owner: object, name: str) -> Any:
    from mmengine.logging.history_buffer import HistoryBuffer

    if owner is not HistoryBuffer or name not in ('mean', 'max', 'min', 'current'):
        raise RuntimeError(f'checkpoint asks for attribute "{name}", which is refused')
    return getattr(HistoryBuffer, name)


def _let_mmpose_read_bfloat16() -> None:
    """MMPose's ``to_numpy`` fails on bfloat16, which NumPy lacks.

    Its heads import the function by name, so it is replaced before they are
    loaded. Removable once MMPose casts (1.3.2 does not).
    """
    from mmpose.utils import tensor_utils

    original = tensor_utils.to_numpy
    if getattr(original, 'reads_bfloat16', False):
        return

    def to_numpy(x: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(x, torch.Tensor) and x.dtype == torch.bfloat16:
            x = x.float()
        return original(x, *args, **kwargs)

    to_numpy.reads_bfloat16 = True  # type: ignore[attr-defined]
    tensor_utils.to_numpy = to_numpy


def _let_mmpose_draw_circles() -> None:
    """MMPose's visualizer passes radii as arrays of one number, which NumPy >= 2.4 no longer takes for a number.

    Removable once MMPose hands on plain numbers (1.3.2 does not).
    """
    from mmpose.visualization.opencv_backend_visualizer import OpencvBackendVisualizer

    original = OpencvBackendVisualizer.draw_circles
    if getattr(original, 'takes_arrays', False):
        return

    def draw_circles(self: Any, center: Any, radius: Any, *args: Any, **kwargs: Any) -> Any:
        if self.backend == 'opencv' and isinstance(radius, np.ndarray):
            radius = radius.item()
        return original(self, center, radius, *args, **kwargs)

    draw_circles.takes_arrays = True  # type: ignore[attr-defined]
    OpencvBackendVisualizer.draw_circles = draw_circles
