"""How a face detector's boxes lie about the annotated points."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from facealign.errors import FaceAlignError
from facealign.io.coco_reader import read_coco
from facealign.utils.files import atomic_write_text

SIDES = ('left', 'top', 'right', 'bottom')


@dataclass(frozen=True)
class SideFit:
    """Gaussians of the moves that turn landmark rectangles into detector boxes.

    Attributes:
        mean, std: [4] of left, top, right, bottom, as shares of the rectangle's width (left, right) or height.
        faces: how many boxes they are from.
        undetected: how many faces had no box.
        boxes: the detector's name, as the file has it.
    """

    mean: np.ndarray
    std: np.ndarray
    faces: int
    undetected: int
    boxes: str


def fit_sides(landmark_boxes: np.ndarray, face_boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation [4] of the sides' moves, from boxes [N, 4] x1, y1, x2, y2, as shares of the size.

    >>> fit_sides(np.array([[0, 0, 10, 20], [0, 0, 10, 20]]), np.array([[1, 2, 12, 20], [-1, 2, 12, 20]]))[0].tolist()
    [0.0, 0.1, 0.2, 0.0]
    """
    size = np.tile(landmark_boxes[:, 2:] - landmark_boxes[:, :2], 2)
    moves = (face_boxes - landmark_boxes) / size
    return moves.mean(axis=0), moves.std(axis=0)


def fit_file(path: str | os.PathLike[str]) -> SideFit:
    """The fit to a COCO JSON file of this project whose faces have a ``face_bbox``.

    Raises:
        FaceAlignError: unreadable, not such a file, or fewer than 10 faces with a box.
    """
    remedy = 'make it with tools/convert_dataset.py … --boxes DETECTOR'
    coco = read_coco(path, remedy)
    boxed = [face for face in coco.annotations if face.get('face_bbox') is not None]
    found = np.array([(face['bbox'], face['face_bbox']) for face in boxed], dtype=float).reshape(-1, 2, 4)
    found[..., 2:] += found[..., :2]
    if len(found) < 10:
        raise FaceAlignError(f'{path}: {len(found)} faces with a detector box, which is too few to fit; {remedy}')
    mean, std = fit_sides(found[:, 0], found[:, 1])
    return SideFit(mean, std, len(found), len(coco.annotations) - len(found), coco.info.get('boxes') or 'unnamed')


def write_fragment(path: str | os.PathLike[str], fit: SideFit, source: str) -> None:
    """Write the fit as a config file like ``configs/_base_/dpg.py``; raises FaceAlignError."""
    mean, std = (', '.join(f'{value:.4f}' for value in values) for values in (fit.mean, fit.std))
    text = (
        '# How DPG moves the sides of a box: left, top, right, bottom, as shares of its width or height.\n'
        f'# Fitted by tools/fit_dpg.py to {fit.faces} boxes ({_one_line(fit.boxes)}) of {_one_line(source)}.\n'
        f'dpg_sides = dict(side_mean=({mean}), side_std=({std}))\n'
    )
    atomic_write_text(path, text)


def _one_line(text: str) -> str:
    """For a comment: names from files must not end it."""
    return ' '.join(text.split())
