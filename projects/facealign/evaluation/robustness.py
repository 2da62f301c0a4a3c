"""How much accuracy a predictor loses when its boxes are off: what a change of detector costs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from facealign.errors import FaceAlignError
from facealign.evaluation.detectors import AUC_LIMIT
from facealign.evaluation.speed import DlibErt
from facealign.inference.aligner import FaceAligner
from facealign.inference.model_file import model_path
from facealign.io.coco_images import AnnotatedImage, read_annotated
from facealign.io.image import read_image
from facealign.utils.reading import MEBIBYTE, read_json

SHIFT, SCALE = 0.05, 0.1
Predict = Callable[[np.ndarray, np.ndarray], Sequence[np.ndarray]]


def changed_boxes(boxes: np.ndarray) -> dict[str, np.ndarray]:
    """Boxes [N, 4] as they are and in six ways off: moved by 5 % of their sides, a tenth smaller and larger.

    >>> changed_boxes(np.array([[0.0, 0, 100, 200]]))['down'].tolist()
    [[0.0, 10.0, 100.0, 210.0]]
    >>> changed_boxes(np.array([[0.0, 0, 100, 200]]))['larger'].round(6).tolist()
    [[-5.0, -10.0, 105.0, 210.0]]
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    ways = {'exact': boxes}
    for name, step in dict(left=(-1, 0), right=(1, 0), up=(0, -1), down=(0, 1)).items():
        ways[name] = boxes + np.tile(sides * SHIFT * step, 2)
    for name, grow in dict(smaller=-SCALE, larger=SCALE).items():
        ways[name] = boxes + np.concatenate([-sides, sides], axis=1) * grow / 2
    return ways


def measure(predict: Predict, images: Sequence[AnnotatedImage]) -> dict[str, float]:
    """AUC@0.08 (landmark box) for each of :func:`changed_boxes`.

    Args:
        predict: BGR image and boxes [N, 4] (where the points' rectangle is thought to be) → points [K, 2] of each.
        images: annotated.
    """
    errors: dict[str, list[float]] = {}
    for annotated in images:
        image = read_image(annotated.path)
        rectangles = annotated.rectangles
        sizes = np.sqrt((rectangles[:, 2:] - rectangles[:, :2]).prod(axis=1))
        for way, boxes in changed_boxes(rectangles).items():
            for points, truth, size in zip(predict(image, boxes), annotated.points, sizes):
                errors.setdefault(way, []).append(np.nanmean(np.linalg.norm(points - truth, axis=1)) / size)
    return {way: float(np.maximum(0, AUC_LIMIT - np.array(e)).mean() / AUC_LIMIT) for way, e in errors.items()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('models', nargs='*', help='model files, or shipped ones by name (default: the shipped one)')
    parser.add_argument('--data', type=Path, required=True, metavar='JSON', help='annotated faces')
    parser.add_argument('--ert', type=Path, metavar='DAT', help="dlib's shape predictor, to measure beside the models")


def run(args: argparse.Namespace) -> dict[str, float]:
    """Measure and print; returns keys and figures for the summary. Raises FaceAlignError."""
    _, images = read_annotated(args.data)
    predictors: dict[str, Predict] = {}
    for path in [model_path(model) for model in args.models or [None]]:
        predictors[path.stem] = _of_model(path)
    if args.ert:
        predictors['dlib_ert'] = ert_on_landmarks(args.ert)
    table = Table(title=f'AUC@0.08 by box, {sum(len(image.points) for image in images)} faces of {args.data.name}')
    table.add_column('box')
    rows: dict[str, list[str]] = {}
    numbers = {}
    for name, predict in predictors.items():
        table.add_column(name, justify='right')
        found = measure(predict, images)
        exact = found.pop('exact')
        drops = [exact - value for value in found.values()]
        numbers[f'{name}.box_shift_drop'] = float(np.mean(drops))
        numbers[f'{name}.box_shift_worst'] = max(drops)
        for way, value in (('exact', exact), *found.items()):
            rows.setdefault(way, []).append(f'{value:.4f}')
        rows.setdefault('mean loss', []).append(f'{np.mean(drops):.4f}')
        rows.setdefault('worst loss', []).append(f'{max(drops):.4f}')
    for way, cells in rows.items():
        table.add_row(way, *cells)
    Console(width=80).print(table)
    return numbers


def _of_model(path: Path) -> Predict:
    aligner = FaceAligner(path, 'whole')
    return lambda image, boxes: [face.points for face in aligner(image, boxes, color='bgr')]


def ert_on_landmarks(path: Path) -> Predict:
    """dlib's predictor on the rectangles of the points, framed as the boxes it was trained on."""
    from facealign.detection.box_mapping import BoxMapping

    about = path.with_suffix('.json')
    mapping = BoxMapping()
    if about.is_file():
        try:
            mapping = BoxMapping.of_json(read_json(about, MEBIBYTE)['box_mapping'])
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise FaceAlignError(f'{about}: not what tools/train_dlib.py writes; run it again') from error
    ert = DlibErt(path)
    return lambda image, boxes: [ert.align(np.ascontiguousarray(image[..., ::-1]), box) for box in mapping(boxes)]
