"""Face detectors, by name: an image in, boxes out.

>>> detector_names()
['boxes', 'dlib-cnn', 'dlib-hog', 'dlib-hog-retry', 'mmdet', 'mtcnn', 'whole', 'yunet']
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from facealign.errors import FaceAlignError


class Detector(Protocol):
    """Finds faces in one image.

    Called with a BGR image [H, W, 3] uint8, it returns [N, 5]: x1, y1, x2, y2
    in 0-based pixels (floats, may reach beyond the image) and a score, best
    score first; N = 0 where there is no face.
    """

    def __call__(self, image: np.ndarray) -> np.ndarray: ...


# name: where the class is, loaded when it is asked for; what file its constructor takes, if it needs one.
_DETECTORS: dict[str, tuple[str | Callable[..., Detector], str | None]] = {
    'boxes': ('from_file:FileBoxes', 'a CSV or JSON file of boxes'),
    'dlib-cnn': (
        'dlib:DlibCnn',
        'mmod_human_face_detector.dat from https://github.com/davisking/dlib-models',
    ),
    'dlib-hog': ('dlib:DlibHog', None),
    'dlib-hog-retry': ('dlib:DlibHogRetry', None),
    'mmdet': ('mmdet:MMDetDetector', 'CONFIG+CHECKPOINT of MMDetection'),
    'mtcnn': ('net_detectors:Mtcnn', None),
    'whole': ('from_file:WholeImage', None),
    'yunet': ('net_detectors:YuNet', 'face_detection_yunet_*.onnx from https://github.com/opencv/opencv_zoo'),
}


def register_detector(
    name: str, model: str | None = None
) -> Callable[[Callable[..., Detector]], Callable[..., Detector]]:
    """Class decorator that makes a detector available as ``name``.

    ``model`` describes the file that its constructor takes, if it needs one.
    """

    def register(factory: Callable[..., Detector]) -> Callable[..., Detector]:
        _DETECTORS[name] = (factory, model)
        return factory

    return register


def detector_names() -> list[str]:
    """The names :func:`get_detector` knows, sorted."""
    return sorted(_DETECTORS)


def needs_model(name: str) -> str | None:
    """What file detector ``name`` needs; None where it needs none. Raises FaceAlignError for an unknown name."""
    if name not in _DETECTORS:
        raise FaceAlignError(f'{name}: no such face detector; there are: {", ".join(detector_names())}')
    return _DETECTORS[name][1]


def get_detector(name: str, model: str | os.PathLike[str] | None = None) -> Detector:
    """The detector called ``name``, with its model file where it needs one.

    Raises:
        FaceAlignError: no such detector; its model file is not given, missing
            or not its kind; or the library it needs is not installed.
    """
    wanted = needs_model(name)
    factory: Any = _DETECTORS[name][0]
    if isinstance(factory, str):
        module, _, attribute = factory.partition(':')
        factory = getattr(importlib.import_module(f'facealign.detection.{module}'), attribute)
    if wanted is None:
        if model is not None:
            raise FaceAlignError(f'{name}:{model}: {name} takes no file; give it as {name}')
        return factory()
    if model is None and name == 'yunet':
        model = yunet_file()
    if model is None:
        raise FaceAlignError(f'{name}: needs a model file; give it as {name}:FILE ({wanted})')
    for part in str(model).split('+') if name == 'mmdet' else [model]:
        if not Path(part).is_file():
            raise FaceAlignError(f'{part}: no such file; {name} needs {wanted}')
    return factory(str(model) if name == 'mmdet' else Path(model))


def open_detector(spec: str | Callable[..., np.ndarray] | None = None) -> tuple[str, Detector]:
    """A detector from what a user writes, and the name of its box rule.

    Args:
        spec: ``NAME`` or ``NAME:FILE``; a function of the user's own (called as
            a :class:`Detector`; scores may be left out); or None for the best
            that is at hand: YuNet where its file is (see :func:`yunet_file`),
            otherwise ``dlib-hog-retry``.

    Raises:
        FaceAlignError: as :func:`get_detector`.
    """
    if spec is None:
        file = yunet_file()
        return ('yunet', get_detector('yunet', file)) if file else ('dlib-hog-retry', get_detector('dlib-hog-retry'))
    if callable(spec):
        return 'function', spec
    if not isinstance(spec, str):
        raise FaceAlignError(f'detector: {type(spec).__name__} is neither the name of a detector nor a function')
    name, _, model = spec.partition(':')
    return name, get_detector(name, model or None)


def detector_files(spec: str | None) -> list[Path]:
    """The files that make the boxes of :func:`open_detector`'s ``spec``; not a table of boxes, which may grow."""
    name, _, model = (spec or '').partition(':')
    if not model:
        file = yunet_file() if name in ('', 'yunet') else None
        return [file] if file else []
    return [] if name == 'boxes' else [Path(part) for part in (model.split('+') if name == 'mmdet' else [model])]


def yunet_file() -> Path | None:
    """The YuNet file that the user has put where facealign looks, if any.

    That is ``$FACEALIGN_YUNET``, or the last ``*yunet*.onnx`` by name in
    :func:`cache_folder`.

    Raises:
        FaceAlignError: ``FACEALIGN_YUNET`` names no file.
    """
    named = os.environ.get('FACEALIGN_YUNET')
    if named:
        if not Path(named).is_file():
            raise FaceAlignError(f'FACEALIGN_YUNET={named}: no such file; correct the variable or unset it')
        return Path(named)
    found = sorted(cache_folder().glob('*yunet*.onnx'))
    return found[-1] if found else None


def cache_folder() -> Path:
    """Where files that a user fetched once are looked for; it need not exist."""
    if sys.platform == 'win32':
        base = Path(os.environ.get('LOCALAPPDATA') or Path.home() / 'AppData' / 'Local')
    else:
        base = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    return base / 'facealign'


def detect(detector: Detector, image: np.ndarray, path: str | os.PathLike[str] | None = None) -> np.ndarray:
    """Run any detector on one image → [N, 5] x1, y1, x2, y2, score; best first, each face once.

    Args:
        detector: one of this module's, or a function giving [N, 4] or [N, 5].
        image: BGR [H, W, 3] uint8.
        path: of the image's file, for detectors that go by name (``boxes``).

    Raises:
        FaceAlignError: a box is not finite, has no area or lies outside the
            image; or the detector gives something else than boxes.
    """
    found = detector(image, path) if getattr(detector, 'by_path', False) else detector(image)  # type: ignore[call-arg]
    return merge_boxes(check_boxes(found, (image.shape[1], image.shape[0])))


def check_boxes(boxes: Any, size: tuple[int, int]) -> np.ndarray:
    """Boxes [N, 4] or [N, 5] as a user gives them → [N, 5]; a missing score is NaN.

    dlib's rectangles, and torch tensors, are boxes too.

    Raises:
        FaceAlignError: of another shape, or one that no face of an image of
            ``size`` (width, height) can have.
    """
    try:
        rows = np.array(_as_rows(boxes), dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise FaceAlignError(
            f'boxes: {type(boxes).__name__} instead of numbers; [N, 4] x1, y1, x2, y2 is wanted'
        ) from None
    if rows.size == 0:
        return np.zeros((0, 5))
    if rows.ndim != 2 or rows.shape[1] not in (4, 5):
        raise FaceAlignError(
            f'boxes: have shape {list(rows.shape)}; [N, 4] x1, y1, x2, y2 (or [N, 5] with a score) is wanted'
        )
    for row in rows:
        x1, y1, x2, y2 = row[:4]
        text = f'box {row[:4].round(1).tolist()}'
        if not np.isfinite(row[:4]).all():
            raise FaceAlignError(f'{text}: its sides are not all numbers; leave it out or correct it')
        if x2 - x1 < 1 or y2 - y1 < 1:
            raise FaceAlignError(f'{text}: has no area; x1 < x2 and y1 (top) < y2 must hold, in pixels')
        if x2 < 0 or y2 < 0 or x1 > size[0] - 1 or y1 > size[1] - 1:
            raise FaceAlignError(f'{text}: lies outside the image of {size[0]}×{size[1]} pixels')
        if max(x2 - x1, y2 - y1) > _LARGEST_BOX * max(size):
            raise FaceAlignError(f'{text}: is far larger than the image of {size[0]}×{size[1]} pixels')
    return rows if rows.shape[1] == 5 else np.column_stack([rows, np.full(len(rows), np.nan)])


def _as_rows(boxes: Any) -> Any:
    """Boxes as something NumPy takes: the rectangles of both dlib's detectors as numbers, tensors off their device."""
    if hasattr(boxes, 'detach'):
        return boxes.detach().cpu()
    if isinstance(boxes, np.ndarray) or not isinstance(boxes, Iterable):
        return boxes
    rows: list[Any] = [getattr(box, 'rect', box) for box in boxes]
    if not any(hasattr(box, 'left') for box in rows):
        return rows
    return [(box.left(), box.top(), box.right(), box.bottom()) if hasattr(box, 'left') else box for box in rows]


def merge_boxes(rows: np.ndarray, max_iou: float = 0.4, max_inside: float = 0.75) -> np.ndarray:
    """Of boxes [N, 5] that show one face, the one with the best score; best first.

    Two boxes show one face where their intersection over union is over
    ``max_iou``, or ``max_inside`` of the smaller lies inside the other. Boxes
    without a score (NaN) are the user's own and all stay.
    """
    rows = rows[np.argsort(-np.nan_to_num(rows[:, 4], nan=np.inf), kind='stable')]
    kept: list[np.ndarray] = []
    for row in rows:
        if np.isnan(row[4]) or not _shows_same(row, np.array(kept).reshape(-1, 5), max_iou, max_inside):
            kept.append(row)
    return np.array(kept).reshape(-1, 5)


def _shows_same(row: np.ndarray, kept: np.ndarray, max_iou: float, max_inside: float) -> bool:
    low, high = np.maximum(row[:2], kept[:, :2]), np.minimum(row[2:4], kept[:, 2:4])
    overlap = np.clip(high - low, 0, None).prod(axis=1)
    area, areas = (row[2:4] - row[:2]).prod(), (kept[:, 2:4] - kept[:, :2]).prod(axis=1)
    return bool(
        np.any((overlap > max_iou * (area + areas - overlap)) | (overlap > max_inside * np.minimum(area, areas)))
    )


def sorted_boxes(rows: list[list[float]]) -> np.ndarray:
    """Rows x1, y1, x2, y2, score → [N, 5], best score first."""
    found = np.array(rows, dtype=float).reshape(-1, 5)
    return found[np.argsort(-found[:, 4], kind='stable')]


# Of the image's longer side: of a face that reaches so far beyond it, the image shows nothing to go by.
_LARGEST_BOX = 20
# Of the image's shorter side: a face that large seldom has company.
_LARGE_FACE = 0.25


def has_large_face(rows: np.ndarray, image: np.ndarray) -> bool:
    """Whether one of the boxes [N, 5] fills so much of ``image`` that a search can end with it."""
    return bool(np.any(rows[:, 2] - rows[:, 0] >= _LARGE_FACE * min(image.shape[:2])))


def limited(image: np.ndarray, max_side: int, grow: float = 1) -> np.ndarray:
    """``image`` scaled by ``grow``, but to no more than ``max_side`` pixels."""
    height, width = image.shape[:2]
    scale = min(grow, max_side / max(height, width))
    if scale == 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
