"""Other people's predictors as rows of the same table: measured on the same faces and boxes, by the same code."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmpose.registry import METRICS

from facealign.detection.base import get_detector
from facealign.detection.box_mapping import BoxMapping
from facealign.detection.dlib_predictor import open_predictor
from facealign.errors import FaceAlignError
from facealign.evaluation.baselines_dlib import PREDICTOR, dlib_grey, import_dlib
from facealign.evaluation.metric import FaceAlignmentMetric, key_prefix
from facealign.io.image import read_image
from facealign.io.onnx_file import read_onnx
from facealign.structures.boxes import choose_boxes
from facealign.utils.reading import MEBIBYTE, read_json

_GET_PREDICTOR = (
    'train one on your data with tools/train_dlib.py CONFIG, or get shape_predictor_68_face_landmarks.dat.bz2 from '
    'https://github.com/davisking/dlib-models and unpack it (68 points; it was trained on 300W)'
)


class Baseline(FaceAlignmentMetric):
    """A metric that looks away from the model's prediction and makes its own on the image of each sample.

    Args:
        name: of its row; also gives the prefix of its keys.
        kwargs: of :class:`facealign.evaluation.metric.FaceAlignmentMetric`.
    """

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name=name, prefix=key_prefix(name), **kwargs)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            image = read_image(sample['img_path'])
            points = self.predict(image, sample)
            expected = np.shape(sample['gt_instances']['keypoints'])[1]
            if len(points) != expected:
                raise FaceAlignError(f'{self.name}: predicts {len(points)} points, but the faces have {expected}')
            super().process(None, [{**sample, 'pred_instances': dict(keypoints=points[None])}])

    @abstractmethod
    def predict(self, image: np.ndarray, sample: dict) -> np.ndarray:
        """Points [K, 2] of one face.

        Args:
            image: [H, W, 3] BGR.
            sample: its ``box`` [4] (x1, y1, x2, y2) is what every row's crop is made from.
        """


@METRICS.register_module()
class DlibBaseline(Baseline):
    """dlib's ensemble of regression trees, from a ``.dat`` file.

    Boxes of a detector are given to it as they are. Where the protocol's box
    is the landmark rectangle, a predictor needs the kind of box it was trained
    on, which the JSON file that ``tools/train_dlib.py`` writes beside it names:
    the annotated face box, dlib's HOG box of the image (also for a predictor
    without that file), or the rectangle as HOG would frame it. The last also
    stands in where a detector found nothing; for every face it would cost a
    predictor trained on HOG boxes much (AUC@0.08 .52 instead of .59 for a small
    one on 300W's common set).

    Args:
        predictor: the file; without it, ``dlib_ert.dat`` in ``data_root`` is
            used if it is there, and otherwise the row is left out with a note.
        data_root: folder of the data's JSON files.
        name: of the row.
        kwargs: of :class:`facealign.evaluation.metric.FaceAlignmentMetric`.

    Raises:
        FaceAlignError: ``predictor`` is missing or not a predictor, or dlib is
            not installed.
    """

    def __init__(
        self, predictor: str | None = None, data_root: str | None = None, name: str = 'dlib ERT', **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.left_out: str | None = None
        self._dlib: Any = None
        try:
            self._load(Path(predictor) if predictor else Path(data_root or '.') / PREDICTOR)
        except FaceAlignError as error:
            if predictor:
                raise
            self.left_out = str(error)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        if self.left_out is None:
            super().process(data_batch, data_samples)

    def evaluate(self, size: int) -> dict[str, float]:
        return super().evaluate(size) if self.left_out is None else {}

    def predict(self, image: np.ndarray, sample: dict) -> np.ndarray:
        rectangle = self._dlib.rectangle(*(round(side) for side in self._box(image, sample).tolist()))
        shape = self._predictor(dlib_grey(image), rectangle)
        return np.array([[point.x, point.y] for point in shape.parts()], np.float32)

    def _box(self, image: np.ndarray, sample: dict) -> np.ndarray:
        box, face_box = np.asarray(sample['box'], float), sample.get('face_bbox')
        if face_box is not None and (self._boxes == 'annotated' or np.allclose(box, face_box)):
            return np.asarray(face_box, float)
        if self._boxes == 'dlib-hog':
            found = self._hog(image)
            (best,) = choose_boxes(box[None], found)
            if best is not None:
                return found[best, :4]
        return self._mapping(box)

    def _load(self, path: Path) -> None:
        if not path.is_file():
            raise FaceAlignError(f'{path}: no such dlib predictor; {_GET_PREDICTOR}')
        self._dlib = import_dlib()
        self._predictor = open_predictor(path, _GET_PREDICTOR)
        about = path.with_suffix('.json')
        self._hog = get_detector('dlib-hog')
        self._mapping, self._boxes = BoxMapping(), 'dlib-hog'
        self.about = dict(predictor=path.name, training="not recorded; dlib's published predictor was trained on 300W")
        if about.is_file():
            try:
                self.about = read_json(about, MEBIBYTE)
                self._mapping, self._boxes = BoxMapping.of_json(self.about['box_mapping']), self.about['boxes']
            except (ValueError, KeyError, TypeError, OSError) as error:
                raise FaceAlignError(f'{about}: not what tools/train_dlib.py writes; run it again') from error


@METRICS.register_module()
class OnnxBaseline(Baseline):
    """A landmark network in ONNX: one RGB crop in (0 to 1, NCHW), all x, y in 0 to 1 of the crop out.

    The crop is the square about the box's centre, ``padding`` times its longer side.

    Args:
        model: the file.
        name: of the row.
        padding: 1.1 is what PFLD's publishers used.
        kwargs: of :class:`facealign.evaluation.metric.FaceAlignmentMetric`.

    Raises:
        FaceAlignError: the file is missing or no such model.
    """

    def __init__(self, model: str, name: str, padding: float = 1.1, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        import onnxruntime

        if not Path(model).is_file():
            raise FaceAlignError(f'{model}: no such ONNX model; give the path of one')
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        try:
            data = read_onnx(model).data
            self._session = onnxruntime.InferenceSession(data, options, providers=['CPUExecutionProvider'])
            self._input = self._session.get_inputs()[0]
            self._size = int(self._input.shape[2])
            if not 8 <= self._size <= 1024:
                raise ValueError('its input is not of 8 to 1024 pixels')
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise FaceAlignError(f'{model}: not an ONNX model with an image input of fixed size') from error
        self._padding = padding
        self.about = dict(model=Path(model).name, input_size=self._size, padding=padding)

    def predict(self, image: np.ndarray, sample: dict) -> np.ndarray:
        box = np.asarray(sample['box'], float)
        side = self._padding * float((box[2:] - box[:2]).max())
        corner = (box[:2] + box[2:]) / 2 - side / 2
        scale = self._size / side
        # Where scaling and cropping map pixel areas, a pixel's centre is at its number plus a half.
        shift = -corner * scale + 0.5 * scale - 0.5
        to_crop = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        crop = cv2.warpAffine(image, to_crop, (self._size, self._size), flags=cv2.INTER_LINEAR)
        blob = np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1)[None], np.float32) / 255
        try:
            output = self._session.run(None, {self._input.name: blob})[0]
        except Exception as error:
            raise FaceAlignError(f'{self.about["model"]}: the network fails at its work; choose another') from error
        return (output.reshape(-1, 2) * side + corner).astype(np.float32)
