"""dlib's ensemble of regression trees, trained on the faces and boxes of a config: the body of tools/train_dlib.py.

The method: Kazemi & Sullivan, One Millisecond Face Alignment with an Ensemble
of Regression Trees, CVPR 2014.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facealign.conversion.crop import crop_record, crop_window
from facealign.detection.box_mapping import BoxMapping
from facealign.detection.detect_files import detect_files
from facealign.errors import FaceAlignError
from facealign.io.coco_reader import read_coco
from facealign.io.image import read_image
from facealign.markup import Markup, flip_points
from facealign.structures.boxes import assign_boxes
from facealign.structures.records import FaceRecord
from facealign.utils.files import atomic_path, atomic_write_json, ensure_writable

PREDICTOR = 'dlib_ert.dat'  # written to the data's folder, where DlibBaseline looks for it
BOXES = ('auto', 'landmarks', 'dlib-hog')
_MARGIN, _MAX_FACE = 0.5, 256  # of the picture kept around a face; dlib rounds points to whole pixels


@dataclass(frozen=True)
class ErtOptions:
    """dlib's options of training; the defaults give the anchor of 300W (see docs/results)."""

    cascade_depth: int = 15
    trees: int = 500
    tree_depth: int = 4
    oversampling: int = 10
    seed: int = 0
    threads: int = 2


def train_ert(
    annotations: Path, out: Path, options: ErtOptions, boxes: str = 'auto', workers: int | None = None
) -> dict[str, Any]:
    """Train on a COCO JSON file of this project and write ``out`` and, beside it, ``out`` with suffix .json.

    Every face is used twice, as it is and mirrored. Its box is the detector's;
    where the detector found none, the median detector box for its landmark
    rectangle. The same options and number of threads give the same bytes.

    Args:
        annotations: the file.
        out: the predictor, ``.dat``.
        options: of the training.
        boxes: ``auto``: the file's ``face_bbox``, or dlib's HOG where it has none;
            ``dlib-hog``; ``landmarks``: no detector, for all the box that dlib's HOG
            puts on the landmark rectangles of 300W in the median.
        workers: processes for detecting; None: all cores.

    Returns:
        what the .json file holds: options, box mapping, numbers of faces.

    Raises:
        FaceAlignError: dlib is not installed, the file is missing or has no
            usable faces, or ``out`` cannot be written.
    """
    dlib = import_dlib()
    faces, markup = read_faces(annotations)
    ensure_writable(out.parent)
    source = choose_source(faces, boxes)
    whole = [face for face in faces if face.annotated.all()]
    if not whole:
        raise FaceAlignError(f'{annotations}: no face has all its points; dlib needs them')
    if source == 'dlib-hog':
        detect(whole, workers)
    mapping, found = fill_boxes(whole, source)
    images, detections = training_set(whole, markup, dlib)
    predictor = dlib.train_shape_predictor(images, detections, _dlib_options(options, dlib))
    about = dict(
        predictor=out.name,
        training=f'on {len(whole)} faces of {annotations.name} and their mirror images',
        markup=markup.name,
        faces=len(whole),
        left_out_incomplete=len(faces) - len(whole),
        boxes=source,
        boxes_found=found,
        box_mapping=asdict(mapping),
        options=asdict(options),
        dlib_version=dlib.__version__,
    )
    with atomic_path(out) as temporary:
        _save(predictor, temporary)
    atomic_write_json(out.with_suffix('.json'), about, indent=1)
    return about


def import_dlib() -> Any:
    """The module. Raises FaceAlignError where it is not installed."""
    try:
        import dlib
    except ImportError as error:
        raise FaceAlignError('dlib is not installed; pip install dlib-bin') from error
    return dlib


def read_faces(path: Path) -> tuple[list[FaceRecord], Markup]:
    """The faces of a COCO JSON file of this project. Raises FaceAlignError."""
    coco = read_coco(path)
    return coco.records(), coco.markup


def choose_source(faces: Sequence[FaceRecord], boxes: str) -> str:
    """Where the boxes come from: ``annotated`` (face_bbox), ``dlib-hog`` or ``landmarks``."""
    if boxes == 'auto':
        return 'annotated' if any(face.face_box is not None for face in faces) else 'dlib-hog'
    return boxes


def detect(faces: Sequence[FaceRecord], workers: int | None = None) -> None:
    """Set every face's box from dlib's HOG detector; None where it finds none."""
    paths = list(dict.fromkeys(face.path for face in faces))
    found = dict(zip(paths, detect_files(paths, 'dlib-hog', workers=workers)))
    boxes = {face.file_name: boxes for face in faces if (boxes := found[face.path]) is not None}
    assign_boxes(faces, boxes)


def fill_boxes(faces: Sequence[FaceRecord], source: str) -> tuple[BoxMapping, int]:
    """Give every face a box; returns the mapping from landmark rectangle to box, and how many faces had one."""
    if source == 'landmarks':
        for face in faces:
            face.face_box = None
    boxed = [face for face in faces if face.face_box is not None]
    mapping = BoxMapping()
    if boxed:
        mapping = BoxMapping.fit(
            np.stack([face.landmark_box for face in boxed]),
            np.stack([face.face_box for face in boxed if face.face_box is not None]),
        )
    for face in faces:
        if face.face_box is None:
            face.face_box = mapping(face.landmark_box)
    return mapping, len(boxed)


def training_set(faces: Sequence[FaceRecord], markup: Markup, dlib: Any) -> tuple[list[np.ndarray], list[list[Any]]]:
    """Grey pictures around the faces and dlib's detections in them, one each, mirrored copies after the originals."""
    images, detections = [], []
    for face in faces:
        image = dlib_grey(read_image(face.path))
        window, size = crop_window(face, _MARGIN, _MAX_FACE)
        x1, y1, x2, y2 = window
        cut = np.ascontiguousarray(image[y1:y2, x1:x2])
        if cut.shape[1::-1] != size:
            cut = cv2.resize(cut, size, interpolation=cv2.INTER_AREA)
        record = crop_record(face, window, size)
        assert record.face_box is not None
        images.append(cut)
        detections.append([_detection(record.points, record.face_box, dlib)])
    for i, face in enumerate(faces):
        width = images[i].shape[1]
        window, size = crop_window(face, _MARGIN, _MAX_FACE)
        record = crop_record(face, window, size)
        assert record.face_box is not None
        box = record.face_box.copy()
        box[[0, 2]] = width - 1 - box[[2, 0]]
        images.append(np.ascontiguousarray(images[i][:, ::-1]))
        detections.append([_detection(flip_points(record.points, width, markup), box, dlib)])
    return images, detections


def dlib_grey(image: np.ndarray) -> np.ndarray:
    """BGR [H, W, 3] → grey [H, W] as dlib makes it: the mean of the three, without fraction.

    >>> dlib_grey(np.array([[[10, 20, 33]]], np.uint8))
    array([[21]], dtype=uint8)
    """
    return (image.sum(axis=2, dtype=np.uint16) // 3).astype(np.uint8)


def _detection(points: np.ndarray, box: np.ndarray, dlib: Any) -> Any:
    rectangle = dlib.rectangle(*(round(side) for side in box.tolist()))
    return dlib.full_object_detection(rectangle, [dlib.point(round(x), round(y)) for x, y in points.tolist()])


def _dlib_options(options: ErtOptions, dlib: Any) -> Any:
    chosen = dlib.shape_predictor_training_options()
    chosen.cascade_depth = options.cascade_depth
    chosen.num_trees_per_cascade_level = options.trees
    chosen.tree_depth = options.tree_depth
    chosen.oversampling_amount = options.oversampling
    chosen.random_seed = str(options.seed)
    chosen.num_threads = options.threads
    chosen.be_verbose = sys.stderr.isatty()  # a line of progress, drawn over itself
    return chosen


def _save(predictor: Any, path: Path) -> None:
    try:
        predictor.save(str(path))
    except RuntimeError as error:
        raise OSError(None, f'dlib could not write it: {error}', os.fspath(path)) from error
