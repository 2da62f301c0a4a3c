"""The whole way in one object: images in, faces with their points out."""

from __future__ import annotations

import numbers
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, overload

import numpy as np

from facealign.detection.base import check_boxes, detect, open_detector
from facealign.detection.calibration import get_box_rule, rule_of_detector
from facealign.errors import FaceAlignError
from facealign.inference.flip_test import FlipTest
from facealign.inference.model_file import ModelInfo, OnnxModel, model_path
from facealign.inference.turned import Located, TurnedSearch
from facealign.io.image import as_bgr, is_picture, read_image
from facealign.structures.crop import cut, to_image
from facealign.structures.face import DOUBTFUL, Face
from facealign.utils.reading import shown

Source = str | os.PathLike[str] | np.ndarray | Any  # a PIL image or a torch tensor


class LandmarkModel(Protocol):
    """What :class:`FaceAligner` needs of a model."""

    name: str
    info: ModelInfo

    def __call__(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Crops [N, H, W, 3] uint8 BGR → points [N, K, 2] in crop pixels and scores [N, K]."""


class FaceAligner:
    """Finds the faces of images and the landmarks of each.

    Args:
        model: an ONNX file of ``tools/export_onnx.py``, the name of a shipped
            model, ``CONFIG+CHECKPOINT`` of MMPose (needs torch), or a loaded
            model. None takes the shipped default.
        detector: ``NAME`` or ``NAME:FILE`` (see
            :func:`facealign.detection.base.detector_names`), or a function
            from a BGR image [H, W, 3] to boxes [N, 4] or [N, 5]. None takes
            YuNet where its file is at hand, else dlib's HOG with retries.
        min_score: faces whose box the detector scores lower are left out.
        batch: how many crops the network gets at once.
        threads: of the network; None takes all cores.
        device: ``cpu`` or ``cuda``, for the network.
        box_rule: whose boxes the detector's are like, where that is not known
            from its name (see :mod:`facealign.detection.calibration`).
        flip_test: take the mean of each face's points and its mirror image's;
            a little more accurate for twice the network's time.
        turned: try images turned by quarters where no face is found or the
            points are doubtful (see :class:`facealign.inference.turned.TurnedSearch`).

    Raises:
        FaceAlignError: a file is missing or not its kind, or a library is not installed.

    >>> aligner = FaceAligner()                                   # doctest: +SKIP
    >>> faces = aligner('group.jpg')                              # doctest: +SKIP
    >>> faces[0].points.shape, faces[0].markup.name               # doctest: +SKIP
    ((68, 2), 'ibug68')
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | LandmarkModel | None = None,
        detector: str | Callable[..., np.ndarray] | None = None,
        *,
        min_score: float | None = None,
        batch: int = 32,
        threads: int | None = None,
        device: str = 'cpu',
        box_rule: str | None = None,
        flip_test: bool = False,
        turned: bool = True,
    ) -> None:
        _check_number('batch', batch, least=1, whole=True)
        _check_number('threads', 0 if threads is None else threads, whole=True)
        _check_number('min_score', 0 if min_score is None else min_score, least=-1e9)
        self.model = load_model(model, threads, device)
        if flip_test:
            self.model = FlipTest(self.model)
        self.detector_name, self.detector = open_detector(detector)
        self._rule = get_box_rule(box_rule) if box_rule else rule_of_detector(self.detector_name)
        self._given_rule = get_box_rule(box_rule or 'landmarks')
        self._min_score, self._batch = min_score, batch
        self._calibrated = bool(self.model.info.scores)
        self._turned = TurnedSearch(self._align, self._turned_search()) if turned and self._calibrated else None

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, images: str | os.PathLike[str] | np.ndarray, boxes: Any = None, *, color: str | None = None
    ) -> list[Face]: ...

    @overload
    def __call__(self, images: Any, boxes: Any = None, *, color: str | None = None) -> Any: ...

    def __call__(self, images: Any, boxes: Any = None, *, color: str | None = None) -> Any:
        """The faces of one image, best first, or of each of a list of images.

        Args:
            images: a file; an array ([H, W] grey, [H, W, 3], [H, W, 4] with
                alpha last; uint8 or uint16); a PIL image, turned by its
                orientation as its file would be; a torch tensor ([C, H, W] or
                [H, W, C]; floats of 0 to 1, or uint8); or a list of these.
            boxes: instead of detecting: [N, 4] x1, y1, x2, y2 in pixels, the
                rectangle of each face's points (another kind if ``box_rule``
                says so), or dlib's rectangles; for a list of images a list of
                these, None for those to detect in. Faces come in the order of
                the boxes.
            color: ``bgr`` or ``rgb``, the channel order of arrays and tensors.
                Left out, arrays are BGR (OpenCV), tensors RGB (torchvision).

        Returns:
            a list of :class:`Face`, or a list of such lists.

        Raises:
            FaceAlignError: an image cannot be read or is of another kind, or a
                box cannot be that of a face.
        """
        if (
            isinstance(images, str | os.PathLike | bytes | memoryview)
            or is_picture(images)
            or not isinstance(images, Iterable)
        ):
            return self.__call__([images], None if boxes is None else [boxes], color=color)[0]
        images = list(images)
        try:
            boxes = [None] * len(images) if boxes is None else list(boxes)
        except TypeError as error:  # a number, or an array that is one
            raise FaceAlignError(
                f'boxes: {type(boxes).__name__} for a list of images; give a list of one set for each'
            ) from error
        if len(boxes) != len(images):
            raise FaceAlignError(
                f'boxes: {len(boxes)} sets for {len(images)} images; give one (or None) for each image'
            )
        faces: list[list[Face]] = []
        pending: list[Located] = []
        for source, given in zip(images, boxes):
            pending.append(self._locate(source, given, color))
            if self.is_full([(one.image, one.rows) for one in pending]):
                faces += self._align_turned(pending)
                pending = []
        return faces + self._align_turned(pending)

    def detect(self, image: np.ndarray, path: str | os.PathLike[str] | None = None) -> np.ndarray:
        """The faces' boxes [N, 5] (x1, y1, x2, y2, score; best first) in a BGR image. Raises FaceAlignError."""
        return self._kept(detect(self.detector, image, path))

    def align(
        self, images: Sequence[np.ndarray], boxes: Sequence[np.ndarray], turned: bool = False
    ) -> list[list[Face]]:
        """The faces of BGR images [H, W, 3] uint8 in boxes [N, 5] as :meth:`detect` gives them.

        With ``turned``, images are also tried turned where that is needed, as when the object itself is called.
        """
        located = [Located(image, rows, self._rule) for image, rows in zip(images, boxes)]
        return self._align_turned(located) if turned else self._align(located)

    def is_full(self, pending: Sequence[tuple[np.ndarray, np.ndarray]]) -> bool:
        """Whether images and their boxes fill a batch, or as much memory as waiting images may take."""
        waiting = sum(image.nbytes for image, _ in pending)
        return sum(len(rows) for _, rows in pending) >= self._batch or waiting > 128 << 20

    def _locate(self, source: Source, given: Any, color: str | None) -> Located:
        path = source if isinstance(source, str | os.PathLike) else None
        image = as_bgr(source, color) if path is None else read_image(path)
        if given is None:
            return Located(image, self.detect(image, path), self._rule)
        return Located(image, check_boxes(given, (image.shape[1], image.shape[0])), self._given_rule, given=True)

    def _kept(self, rows: np.ndarray) -> np.ndarray:
        return rows if self._min_score is None else rows[~(rows[:, 4] < self._min_score)]

    def _turned_search(self) -> Callable[[np.ndarray], np.ndarray] | None:
        """The detector for turned images; None for one that does not look at the image, or is the user's own."""
        if self.detector_name in ('boxes', 'whole', 'function'):
            return None
        quick = getattr(self.detector, 'quick', self.detector)
        return lambda image: self._kept(detect(quick, image))

    def _align_turned(self, located: Sequence[Located]) -> list[list[Face]]:
        found = self._align(located)
        return found if self._turned is None else [self._turned(*one) for one in zip(located, found)]

    def _align(self, located: Sequence[Located]) -> list[list[Face]]:
        """All faces of all images, in full batches."""
        owners = [(one.image, one.rule) for one in located for _ in one.rows]
        rectangles = [rectangle for one in located for rectangle in one.rule.rectangle(one.rows)]
        points, scores = self._predict([image for image, _ in owners], rectangles)
        for done in range(1, max((rule.passes for _, rule in owners), default=1)):
            again = [i for i, (_, rule) in enumerate(owners) if rule.passes > done]
            better = self._predict([owners[i][0] for i in again], [_bounds(points[i]) for i in again])
            for i, *result in zip(again, *better):
                points[i], scores[i] = result
        found = iter(zip(points, scores))
        return [[self._face(row, *next(found)) for row in one.rows] for one in located]

    def _face(self, row: np.ndarray, points: np.ndarray, scores: np.ndarray) -> Face:
        doubtful = self._calibrated and bool(scores.mean() < DOUBTFUL)
        return Face(points, scores, row[:4].copy(), float(row[4]), self.model.info.markup, doubtful=doubtful)

    def _predict(
        self, images: list[np.ndarray], rectangles: list[np.ndarray]
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Points [K, 2] in image pixels and scores [K] of each face."""
        info = self.model.info
        all_points: list[np.ndarray] = []
        all_scores: list[np.ndarray] = []
        for start in range(0, len(images), self._batch):
            part = slice(start, start + self._batch)
            matrices = [info.crop.matrix(rectangle, info.input_size) for rectangle in rectangles[part]]
            crops = [cut(image, matrix, info.input_size) for image, matrix in zip(images[part], matrices)]
            points, scores = self.model(np.stack(crops))
            if not np.isfinite(points).all():
                raise FaceAlignError(f'{self.model.name}: gives points that are no numbers; export the model again')
            all_points += [to_image(p, matrix) for p, matrix in zip(points, matrices)]
            all_scores += list(scores)
        return all_points, all_scores


def model_files(model: str | os.PathLike[str] | None) -> list[str | os.PathLike[str]]:
    """The files that :func:`load_model` reads for a model of a file's name."""
    if model is not None and '+' in str(model) and not os.path.exists(model):
        return list(str(model).partition('+')[::2])
    return [model_path(model)]


def load_model(
    model: str | os.PathLike[str] | LandmarkModel | None = None, threads: int | None = None, device: str = 'cpu'
) -> LandmarkModel:
    """A model from what :class:`FaceAligner` takes. Raises FaceAlignError."""
    if model is not None and not isinstance(model, str | os.PathLike):
        if not (callable(model) and hasattr(model, 'info') and hasattr(model, 'name')):
            raise FaceAlignError(
                f'model: {type(model).__name__} is neither the name of a model or its file nor a loaded model'
            )
        return model
    files = model_files(model)
    if len(files) == 2:
        from facealign.export.torch_model import TorchModel

        return TorchModel(str(files[0]), str(files[1]), device)
    return OnnxModel(files[0], threads, device)


def _check_number(name: str, value: Any, least: float = 0, whole: bool = False) -> None:
    """Raise FaceAlignError where a setting is not a (whole) number from ``least`` to 1e9."""
    kind = numbers.Integral if whole else numbers.Real
    if isinstance(value, bool) or not isinstance(value, kind) or not least <= float(value) <= 1e9:
        raise FaceAlignError(
            f'{name}: {shown(value)} is not a {"whole " if whole else ""}number between {least:g} and 1e9'
        )


def _bounds(points: np.ndarray) -> np.ndarray:
    """The rectangle [4] of points [K, 2]; not smaller than a pixel."""
    low, high = points.min(axis=0), points.max(axis=0)
    return np.concatenate([low, np.maximum(high, low + 1)])
