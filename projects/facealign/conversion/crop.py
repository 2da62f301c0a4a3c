"""Images cut around each face and scaled down, so that training decodes little."""

from __future__ import annotations

import dataclasses
import functools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from facealign.errors import FaceAlignError
from facealign.io.image import read_image
from facealign.structures.records import FaceRecord, Original
from facealign.utils.files import atomic_write_bytes
from facealign.utils.parallel import run_parallel

_JPEG_QUALITY = 95


def crop_faces(
    faces: Sequence[FaceRecord],
    out: Path,
    margin: float = 0.5,
    max_face: float = 256,
    workers: int | None = None,
) -> list[FaceRecord | None]:
    """Cut every face out of its image and write it under ``out``.

    The cut is the rectangle around the annotated points and the detector's
    box, widened on each side by ``margin`` times its longer side and clipped
    to the image; it is scaled down where the longer side of the points'
    rectangle is over ``max_face`` pixels, never up.

    Args:
        faces: any number per image.
        out: folder of the new files, ``FOLDER/NAME.jpg`` (``NAME.K.jpg`` where
            several would bear one name).
        margin: as a share.
        max_face: pixels.
        workers: processes; None takes all cores.

    Returns:
        new records in the same order, with points and boxes in the new
        pixels and ``original`` set; None where the image cannot be decoded.

    Raises:
        FaceAlignError: a file cannot be written.
    """
    stems = [Path(face.file_name).with_suffix('').as_posix() for face in faces]
    count, seen = Counter(stems), Counter[str]()
    jobs = []
    for face, stem in zip(faces, stems):
        seen[stem] += 1
        jobs.append((face, f'{stem}.jpg' if count[stem] == 1 else f'{stem}.{seen[stem]}.jpg'))
    work = functools.partial(_crop_one, out=out, margin=margin, max_face=max_face)
    return run_parallel(work, jobs, 'cutting out faces', workers)


def crop_window(face: FaceRecord, margin: float, max_face: float) -> tuple[tuple[int, int, int, int], tuple[int, int]]:
    """The cut (x1, y1, x2, y2; whole pixels, ends exclusive) and the (width, height) it is scaled to."""
    box = face.landmark_box
    side = float((box[2:] - box[:2]).max())
    if face.face_box is not None:
        box = np.concatenate([np.minimum(box[:2], face.face_box[:2]), np.maximum(box[2:], face.face_box[2:])])
    room = margin * float((box[2:] - box[:2]).max())
    limit = np.array(face.size)
    x1, y1 = np.clip(np.floor(box[:2] - room), 0, limit - 1).astype(int).tolist()
    x2, y2 = np.clip(np.ceil(box[2:] + room) + 1, [x1 + 1, y1 + 1], limit).astype(int).tolist()
    scale = min(1.0, max_face / side)
    return (x1, y1, x2, y2), (max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale)))


def crop_record(face: FaceRecord, window: tuple[int, int, int, int], size: tuple[int, int]) -> FaceRecord:
    """``face`` as it lies in the cut ``window`` scaled to ``size``; the file name stays.

    Scaling maps pixel areas, as OpenCV's resize does: with 0-based centres
    x' = (x - x1 + 0.5) * width' / width - 0.5.
    """
    x1, y1, x2, y2 = window
    back = np.array([(x2 - x1) / size[0], (y2 - y1) / size[1]])
    offset = np.array([x1, y1]) + 0.5 * back - 0.5

    def forward(points: np.ndarray) -> np.ndarray:
        return (points - offset) / back

    return dataclasses.replace(
        face,
        points=forward(face.points),
        size=size,
        face_box=None if face.face_box is None else forward(face.face_box.reshape(2, 2)).reshape(4),
        original=Original(face.file_name, face.size, np.array([[back[0], 0.0, offset[0]], [0.0, back[1], offset[1]]])),
    )


def _crop_one(job: tuple[FaceRecord, str], out: Path, margin: float, max_face: float) -> FaceRecord | None:
    face, name = job
    cv2.setNumThreads(1)
    try:
        image = read_image(face.path, min_side=1)
    except FaceAlignError:
        return None
    if image.shape[1::-1] != face.size:
        return None
    window, size = crop_window(face, margin, max_face)
    x1, y1, x2, y2 = window
    cut = image[y1:y2, x1:x2]
    if cut.shape[1::-1] != size:
        cut = cv2.resize(cut, size, interpolation=cv2.INTER_AREA)
    atomic_write_bytes(out / name, cv2.imencode('.jpg', cut, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes())
    return dataclasses.replace(crop_record(face, window, size), root=out, file_name=name)
