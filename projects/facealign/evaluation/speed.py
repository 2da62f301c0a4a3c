"""How fast inference is, stage by stage, beside dlib and a peer model, and how accurate each is.

All contestants take turns in every round, so that a machine that is busy for a
while slows all of them alike; the figure is the quickest round, which other work
disturbed least. What runs on one thread is timed by the processor time it used.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facealign.detection.dlib_predictor import open_predictor
from facealign.errors import FaceAlignError
from facealign.inference.align_files import Options, align_files
from facealign.inference.aligner import FaceAligner
from facealign.inference.model_file import ModelInfo, Normaliser, OnnxModel
from facealign.inference.sources import Source
from facealign.io.coco_images import AnnotatedImage
from facealign.io.image import read_image
from facealign.io.onnx_file import read_onnx
from facealign.structures.crop import CropRule, cut, to_image

FRAME = (640, 480)
FACE_HEIGHT = 200  # of the points, in the frames


def time_in_turns(
    jobs: dict[str, Callable[[], Any]], seconds: float, one_thread: bool = True, min_rounds: int = 3
) -> dict[str, float]:
    """Milliseconds of each job in its quickest round; all take turns for about ``seconds``, after once to warm up."""
    clock = time.process_time if one_thread else time.perf_counter
    best = dict.fromkeys(jobs, float('inf'))
    for job in jobs.values():
        job()
    end = time.perf_counter() + seconds
    rounds = 0
    while rounds < min_rounds or time.perf_counter() < end:
        rounds += 1
        for name, job in jobs.items():
            start = clock()
            job()
            best[name] = min(best[name], 1000 * (clock() - start))
    return best


@dataclass
class Stages:
    """Milliseconds a face: of the network at each batch size, and of what is around it."""

    network: dict[int, float] = field(default_factory=dict)
    around: dict[int, float] = field(default_factory=dict)


def model_stages(
    models: dict[str, Any],
    frames: Sequence[np.ndarray],
    rectangles: Sequence[np.ndarray],
    seconds: float,
    one_thread: bool,
) -> dict[str, Stages]:
    """Time each model's network, and cropping, normalising and mapping back around it, on faces of ``frames``.

    Args:
        models: by name, as :class:`OnnxModel`.
        frames: BGR images, each with one face.
        rectangles: [4] of each face's points.
        seconds: to spend on each batch size.
        one_thread: whether the networks run on one thread.
    """
    stages = {name: Stages() for name in models}
    for batch in (1, 32):
        jobs: dict[str, Callable[[], Any]] = {}
        for name, model in models.items():
            picked = [i % len(frames) for i in range(batch)]
            jobs[f'{name}/network'] = _network_job(model, [frames[i] for i in picked], [rectangles[i] for i in picked])
            jobs[f'{name}/around'] = _around_job(model, [frames[i] for i in picked], [rectangles[i] for i in picked])
        for key, milliseconds in time_in_turns(jobs, seconds, one_thread).items():
            name, _, part = key.rpartition('/')
            getattr(stages[name], part)[batch] = milliseconds / batch
    return stages


def _matrices(info: ModelInfo, rectangles: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [info.crop.matrix(rectangle, info.input_size) for rectangle in rectangles]


def _crops(info: ModelInfo, frames: Sequence[np.ndarray], matrices: Sequence[np.ndarray]) -> np.ndarray:
    return np.stack([cut(frame, matrix, info.input_size) for frame, matrix in zip(frames, matrices)])


def _network_job(model: Any, frames: Sequence[np.ndarray], rectangles: Sequence[np.ndarray]) -> Callable[[], Any]:
    tensor = model.prepare(_crops(model.info, frames, _matrices(model.info, rectangles)))
    return lambda: model.run(tensor)


def _around_job(model: Any, frames: Sequence[np.ndarray], rectangles: Sequence[np.ndarray]) -> Callable[[], Any]:
    points = np.zeros((len(frames), model.info.markup.num_keypoints, 2))

    def around() -> None:
        matrices = _matrices(model.info, rectangles)
        model.prepare(_crops(model.info, frames, matrices))
        for face, matrix in zip(points, matrices):
            to_image(face, matrix)

    return around


class PeerModel:
    """``pfld_68_112.onnx``, a published PFLD: RGB/255 of a square crop → 68 points in 0-1 of the crop.

    Raises:
        FaceAlignError: missing, or another model.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        import onnxruntime as ort

        from facealign import __version__
        from facealign.markup import IBUG68

        options = ort.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = ort.InferenceSession(read_onnx(path).data, options, providers=['CPUExecutionProvider'])
            if self._session.get_inputs()[0].shape[2:] != [112, 112]:
                raise ValueError('its input is not 112×112')
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise FaceAlignError(f'{path}: not the PFLD model that --pfld wants ({error})') from error
        self.name = 'pfld'
        self.path = path
        self.info = ModelInfo(
            IBUG68, (112, 112), (0.0,) * 3, (255.0,) * 3, 'rgb', CropRule(padding=1.1), __version__, name='pfld'
        )
        self.prepare = Normaliser(self.info)

    def run(self, tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        points = self._session.run(None, {self._session.get_inputs()[0].name: tensor})[0]
        return points.reshape(len(tensor), -1, 2) * 112.0, np.ones((len(tensor), points.shape[1] // 2))

    def __call__(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.run(self.prepare(crops))


class DlibErt:
    """dlib's shape predictor on dlib's boxes, timed as one makes use of it: an RGB image and a rectangle in."""

    name = 'dlib_ert'

    def __init__(self, path: Path) -> None:
        import dlib

        self._predictor = open_predictor(path, 'give one that tools/train_dlib.py wrote, or a published one')
        self._detector = dlib.get_frontal_face_detector()
        self._rectangle = dlib.rectangle
        self.path = path

    def align(self, rgb: np.ndarray, box: np.ndarray) -> np.ndarray:
        """Points [K, 2] of the face in ``box`` [4]."""
        shape = self._predictor(rgb, self._rectangle(*(round(side) for side in box.tolist())))
        return np.array([[part.x, part.y] for part in shape.parts()], dtype=float)

    def end_to_end(self, bgr: np.ndarray) -> list[np.ndarray]:
        """HOG without upsampling, then the predictor."""
        rgb = np.ascontiguousarray(bgr[..., ::-1])
        found = self._detector(rgb, 0)
        return [np.array([[p.x, p.y] for p in self._predictor(rgb, box).parts()]) for box in found]


def make_frames(images: Sequence[AnnotatedImage], count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """640×480 frames, each with one face of about ``FACE_HEIGHT`` pixels in its middle, and its points' rectangle."""
    frames, rectangles = [], []
    for annotated in images[:: max(1, len(images) // count)][:count]:
        image = read_image(annotated.path)
        rectangle = annotated.rectangles[0]
        scale = FACE_HEIGHT / (rectangle[3] - rectangle[1])
        centre = (rectangle[:2] + rectangle[2:]) / 2
        matrix = np.array([[scale, 0, FRAME[0] / 2 - scale * centre[0]], [0, scale, FRAME[1] / 2 - scale * centre[1]]])
        flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        frames.append(cv2.warpAffine(image, matrix, FRAME, flags=flags, borderMode=cv2.BORDER_REPLICATE))
        rectangles.append((rectangle.reshape(2, 2) * scale + matrix[:, 2]).reshape(4))
    return frames, rectangles


def end_to_end_jobs(
    model: OnnxModel, detectors: Sequence[str], ert: DlibErt | None, frames: Sequence[np.ndarray]
) -> dict[str, Callable[[], Any]]:
    """One job a way from frame to points, over all ``frames``."""

    def job(aligner: FaceAligner) -> Callable[[], Any]:
        return lambda: [aligner(frame, color='bgr') for frame in frames]

    jobs: dict[str, Callable[[], Any]] = {spec.partition(':')[0]: job(FaceAligner(model, spec)) for spec in detectors}
    if ert is not None:
        jobs['dlib'] = lambda: [ert.end_to_end(frame) for frame in frames]
    return jobs


def measure_memory(aligner: FaceAligner, sources: Sequence[Source], options: Options, after: int = 100) -> float:
    """MB by which this process grows from image ``after`` on, while ``facealign align`` runs over ``sources``.

    Raises:
        FaceAlignError: there are too few images, or this system does not tell (it needs Linux's /proc).
    """
    if len(sources) <= 2 * after:
        raise FaceAlignError(f'memory: needs more than {2 * after} images, not {len(sources)}')
    seen: list[float] = []

    class Watched(list):  # tells the memory as the run takes one source after the other
        def __iter__(self) -> Iterator[Any]:
            for number, source in enumerate(super().__iter__()):
                if number >= after:
                    seen.append(_resident_mb())
                yield source

    align_files(aligner, Watched(sources), options)
    return max(seen) - seen[0]


def _resident_mb() -> float:
    try:
        pages = int(Path('/proc/self/statm').read_text().split()[1])
    except OSError as error:
        raise FaceAlignError('memory: this system has no /proc; measure on Linux') from error
    return pages * os.sysconf('SC_PAGE_SIZE') / 1e6
