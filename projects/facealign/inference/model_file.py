"""A landmark model in one ONNX file: the network, its decoding, and what it needs to know, as metadata."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort

from facealign.errors import FaceAlignError
from facealign.io.onnx_file import OnnxFile, read_onnx
from facealign.markup import Markup, add_markup, get_markup, is_shipped
from facealign.markup_file import markup_from_dict, markup_to_dict
from facealign.structures.crop import CropRule
from facealign.utils.reading import is_number, parse_json, shown

PREFIX = 'facealign.'
REQUIRED = ('version', 'markup', 'input_size', 'mean', 'std', 'color', 'crop')
SHIPPED = Path(__file__).parents[1] / 'weights'
_LONGEST_SIDE = 1024  # pixels of a crop
_LONGEST_WORD = 1000  # characters of what a model file says in words
DEFAULT_MODEL = 'lite68'
_DEVICES = {
    'cpu': ['CPUExecutionProvider'],
    'cuda': ['CUDAExecutionProvider', 'CPUExecutionProvider'],
}


@dataclass(frozen=True)
class ModelInfo:
    """What a model file says about itself.

    Attributes:
        markup: of its points.
        input_size: (width, height) of the crop in pixels.
        mean, std: [3], subtracted from and divided into the crop's 0-255 values, channels in the order of ``color``.
        color: ``rgb`` or ``bgr``, the channel order the network wants.
        crop: how the crop is cut.
        version: of facealign that wrote it.
        scores: what the scores per point mean, in words; may be empty.
        name: of the model, for tables; may be empty.
        annotation_offset: pixels of the crop by which its points were moved to the right, to where annotators place
            them; a flip test must not average it away.
    """

    markup: Markup
    input_size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    color: str
    crop: CropRule
    version: str
    scores: str = ''
    name: str = ''
    annotation_offset: float = 0

    def to_metadata(self) -> dict[str, str]:
        """As the strings that ONNX metadata holds."""
        own = {} if is_shipped(self.markup) else {PREFIX + 'markup_definition': json.dumps(markup_to_dict(self.markup))}
        return {
            PREFIX + 'version': self.version,
            PREFIX + 'markup': self.markup.name,
            PREFIX + 'input_size': json.dumps(list(self.input_size)),
            PREFIX + 'mean': json.dumps(list(self.mean)),
            PREFIX + 'std': json.dumps(list(self.std)),
            PREFIX + 'color': self.color,
            PREFIX + 'crop': self.crop.to_json(),
            PREFIX + 'scores': self.scores,
            PREFIX + 'name': self.name,
            PREFIX + 'annotation_offset': json.dumps([self.annotation_offset]),
            **own,
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> ModelInfo:
        """Raises ValueError saying which entry is missing or wrong."""
        missing = [key for key in REQUIRED if PREFIX + key not in metadata]
        if len(missing) == len(REQUIRED):
            raise ValueError('carries no facealign metadata; export the model with tools/export_onnx.py')
        if missing:
            raise ValueError(
                f'its metadata lacks {", ".join(missing)}; export the model again with tools/export_onnx.py'
            )
        value = {key: metadata[PREFIX + key] for key in REQUIRED}
        words = {key: metadata.get(PREFIX + key, '') for key in ('version', 'markup', 'name', 'scores')}
        for key, word in words.items():
            if len(word) > _LONGEST_WORD or not word.isprintable():
                raise ValueError(f'its metadata entry {key} is {shown(word)}, which is no name')
        markup = _markup(words['markup'], metadata.get(PREFIX + 'markup_definition'))
        size = _numbers(value, 'input_size', 2)
        if not all(side == int(side) and 8 <= side <= _LONGEST_SIDE for side in size):
            raise ValueError(f'its metadata entry input_size is {shown(value["input_size"])}')
        std = _numbers(value, 'std', 3)
        if not all(abs(number) > 1e-6 for number in std):
            raise ValueError('its metadata entry std has a zero')
        if value['color'] not in ('rgb', 'bgr'):
            raise ValueError(f'its metadata entry color is {shown(value["color"])}, not rgb or bgr')
        try:
            crop = CropRule.from_json(value['crop'])
        except (ValueError, TypeError) as error:
            raise ValueError(f'its metadata entry crop is not understood: {error}') from error
        return cls(
            markup=markup,
            input_size=(int(size[0]), int(size[1])),
            mean=_numbers(value, 'mean', 3),
            std=std,
            color=value['color'],
            crop=crop,
            version=words['version'],
            scores=words['scores'],
            name=words['name'],
            annotation_offset=_numbers(
                {'annotation_offset': metadata.get(PREFIX + 'annotation_offset', '[0]')}, 'annotation_offset', 1
            )[0],
        )


class OnnxModel:
    """A model file, ready to run.

    Args:
        path: of the ONNX file.
        threads: of the network; None lets onnxruntime take all cores.
        device: ``cpu`` or ``cuda``.

    Raises:
        FaceAlignError: missing, not ONNX, not of this project, of an unknown
            markup, or the device is not available.
    """

    def __init__(self, path: str | os.PathLike[str], threads: int | None = None, device: str = 'cpu') -> None:
        self.path = Path(path)
        _check_device(device)
        file = _read(self.path)
        try:
            self.info = ModelInfo.from_metadata(file.metadata)
            self._session = _open(self.path, file, threads, device)
            self._check_shapes()
        except ValueError as error:
            raise FaceAlignError(f'{path}: {error}') from error
        self.name = self.info.name or self.path.stem
        self._input = self._session.get_inputs()[0]
        self._half = 'float16' in self._input.type
        self._normalise = Normaliser(self.info)
        self._try()

    def __call__(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Crops [N, H, W, 3] uint8 BGR → points [N, K, 2] in crop pixels and scores [N, K]."""
        return self.run(self.prepare(crops))

    def prepare(self, crops: np.ndarray) -> np.ndarray:
        """Crops [N, H, W, 3] uint8 BGR → the network's input [N, 3, H, W]."""
        tensor = self._normalise(crops)
        return tensor.astype(np.float16) if self._half else tensor

    def run(self, tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The network alone: its input → points and scores. Raises FaceAlignError where it fails at its work."""
        try:
            points, scores = self._session.run(['keypoints', 'scores'], {self._input.name: tensor})
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise FaceAlignError(f'{self.path}: the network fails at its work; export the model again') from error
        if not (np.isfinite(points).all() and np.isfinite(scores).all()):
            raise FaceAlignError(f'{self.path}: the network gives points that are no numbers; export the model again')
        return np.asarray(points, dtype=np.float64), np.asarray(scores, dtype=np.float64)

    def _check_shapes(self) -> None:
        """Raise ValueError where the network does not turn crops of its size into the points of its markup."""
        inputs = self._session.get_inputs()
        names = {output.name: output.shape for output in self._session.get_outputs()}
        if not {'keypoints', 'scores'} <= names.keys():
            raise ValueError('has no outputs "keypoints" and "scores"; export the model with tools/export_onnx.py')
        width, height = self.info.input_size
        wanted = [3, height, width]
        shape = inputs[0].shape if len(inputs) == 1 else []
        if len(shape) != 4 or any(isinstance(a, int) and a != b for a, b in zip(shape[1:], wanted)):
            raise ValueError(f'takes {shape}, not crops of {height} x {width} as it says; export the model again')
        if inputs[0].type not in ('tensor(float)', 'tensor(float16)'):
            raise ValueError(f'takes {inputs[0].type}, not numbers of 16 or 32 bits; export the model again')
        count, declared = self.info.markup.num_keypoints, names['keypoints']
        if len(declared) == 3 and isinstance(declared[1], int) and declared[1] != count:
            wants = f'{self.info.markup.name} has {count}'
            raise ValueError(f'gives {declared[1]} points, but its markup {wants}; export the model again')

    def _try(self) -> None:
        """Raise FaceAlignError where the answer to one grey crop has not the shape of points and scores."""
        width, height = self.info.input_size
        points, scores = self(np.full((1, height, width, 3), 128, np.uint8))
        count = self.info.markup.num_keypoints
        if points.shape != (1, count, 2) or scores.shape != (1, count):
            raise FaceAlignError(
                f'{self.path}: gives points {points.shape} and scores {scores.shape}, not {count} of each; '
                'export the model again'
            )


class Normaliser:
    """uint8 BGR crops [N, H, W, 3] → float32 [N, 3, H, W], (value - mean) / std in the network's channel order."""

    def __init__(self, info: ModelInfo) -> None:
        order = slice(None, None, -1) if info.color == 'rgb' else slice(None)
        self._order = range(3)[order]
        self._scale = np.array([1 / std for std in info.std], dtype=np.float32)
        self._shift = np.array([-mean / std for mean, std in zip(info.mean, info.std)], dtype=np.float32)

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        n, height, width, _ = crops.shape
        tensor = np.empty((n, 3, height, width), dtype=np.float32)
        for channel, source in enumerate(self._order):
            np.multiply(crops[..., source], self._scale[channel], out=tensor[:, channel])
            tensor[:, channel] += self._shift[channel]
        return tensor


def model_path(model: str | os.PathLike[str] | None = None) -> Path:
    """The file of ``model``: a path, the name of a shipped model, or None for the default one.

    Raises:
        FaceAlignError: there is no such file.
    """
    named = SHIPPED / f'{model or DEFAULT_MODEL}.onnx'
    if model is None or (not Path(model).exists() and Path(model).name == str(model) and named.is_file()):
        path = named
    else:
        path = Path(model)
    if not path.is_file():
        there = ', '.join(sorted(file.stem for file in SHIPPED.glob('*.onnx'))) or 'none'
        raise FaceAlignError(f'{model or path}: no such model file; models by name: {there}')
    return path


def _read(path: Path) -> OnnxFile:
    try:
        return read_onnx(path)
    except FileNotFoundError:
        raise FaceAlignError(f'{path}: no such model file') from None
    except OSError as error:
        raise FaceAlignError(f'{path}: cannot be read as a model ({error.strerror}); give an ONNX file') from error
    except ValueError as error:
        raise FaceAlignError(f'{path}: not an ONNX model that can be loaded ({error}); export it again') from error


def _check_device(device: str) -> None:
    if device not in _DEVICES:
        raise FaceAlignError(f'device {device}: not one of {", ".join(_DEVICES)}')
    if _DEVICES[device][0] not in ort.get_available_providers():
        raise FaceAlignError(
            f'device {device}: this onnxruntime cannot use it; pip install onnxruntime-gpu, or take cpu'
        )


def _open(path: Path, file: OnnxFile, threads: int | None, device: str) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    if device != 'cpu':  # what it lacks is said below, in one line
        options.log_severity_level = 4
        ort.set_default_logger_severity(4)
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        # Without the fallback, which prints several lines and takes the CPU.
        session = ort.InferenceSession(file.data, options, providers=_DEVICES[device], enable_fallback=0)
    except Exception as error:  # onnxruntime's own exceptions share no base class
        if device != 'cpu' and _loads_on_cpu(file):
            raise FaceAlignError(_unusable(device)) from error
        raise FaceAlignError(f'{path}: not an ONNX model that onnxruntime can load; export it again') from error
    # A provider whose libraries are missing is left out of the session without an exception.
    if _DEVICES[device][0] not in session.get_providers():
        raise FaceAlignError(_unusable(device))
    return session


def _unusable(device: str) -> str:
    return (
        f'device {device}: onnxruntime {ort.__version__} cannot load its libraries or finds no such device; check '
        "nvidia-smi, pip install 'onnxruntime-gpu[cuda,cudnn]', or take cpu"
    )


def _loads_on_cpu(file: OnnxFile) -> bool:
    try:
        ort.InferenceSession(file.data, providers=_DEVICES['cpu'])
    except Exception:
        return False
    return True


def _markup(name: str, definition: str | None) -> Markup:
    if definition is None:
        return get_markup(name)
    markup = add_markup(markup_from_dict(parse_json(definition.encode())))
    if markup.name != name:
        raise ValueError(f'its metadata entry markup is {shown(name)}, its markup_definition of {shown(markup.name)}')
    return markup


def _numbers(value: Mapping[str, str], key: str, count: int) -> tuple[float, ...]:
    with suppress(ValueError):
        numbers = parse_json(value[key])
        if isinstance(numbers, list) and len(numbers) == count and all(map(is_number, numbers)):
            return tuple(float(number) for number in numbers)
    raise ValueError(f'its metadata entry {key} is {shown(value[key])}, not {count} numbers')
