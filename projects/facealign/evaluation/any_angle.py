"""Whether faces are found and right in photos that lie on their side or stand on their head."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from facealign.evaluation.detectors import AUC_LIMIT, face_error
from facealign.inference.aligner import FaceAligner
from facealign.inference.turned import turn_boxes, turn_image, turn_points
from facealign.io.coco_images import AnnotatedImage, read_annotated
from facealign.io.image import read_image


def measure(aligner: FaceAligner, images: Sequence[AnnotatedImage], quarters: int) -> tuple[float, float]:
    """Share of the annotated faces that are found and right in the images turned by so many quarters.

    Right is a face within 8 % of sqrt(w · h) of the rectangle of its points, which none is whose points are turned
    otherwise, and not doubtful.

    Returns:
        that share, and the share of the images with a wrong face, or none, of which nothing says that it is doubtful.
    """
    right, silent = [], []
    for annotated in images:
        image = read_image(annotated.path)
        size = (image.shape[1], image.shape[0])
        faces = aligner(turn_image(image, quarters), color='bgr')
        truths = turn_points(annotated.points, quarters, size)
        found = [
            any(not face.doubtful and face_error(face.points, truth, rectangle) < AUC_LIMIT for face in faces)
            for truth, rectangle in zip(truths, turn_boxes(annotated.rectangles, quarters, size))
        ]
        right += found
        silent.append(not all(found) and not any(face.doubtful for face in faces))
    return float(np.mean(right)), float(np.mean(silent))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--data', type=Path, required=True, metavar='JSON', help='annotated faces, upright')
    parser.add_argument('--model', help='model file, or a shipped one by name (default: the shipped one)')
    parser.add_argument(
        '--detector',
        action='append',
        metavar='NAME[:FILE]',
        help='may be given several times (default: the default one)',
    )
    parser.add_argument('--images', type=int, help='so many, evenly over the file (default: all)')


def run(args: argparse.Namespace) -> dict[str, float]:
    """Measure and print; returns keys and figures for the summary. Raises FaceAlignError."""
    _, images = read_annotated(args.data, args.images)
    table = Table(title=f'found and right, %, {len(images)} images of {args.data.name}')
    for column in ('detector', '0°', '90°', '180°', '270°', 'wrong, not said'):
        table.add_column(column, justify='left' if column == 'detector' else 'right')
    numbers: dict[str, float] = {}
    for spec in args.detector or [None]:
        aligner = FaceAligner(args.model, spec, threads=1)
        found = [measure(aligner, images, quarters) for quarters in range(4)]
        right, silent = np.array(found).T
        name = aligner.detector_name.replace('-', '_')
        numbers[f'any_angle.{name}.found'] = right[1:].mean()
        numbers[f'any_angle.{name}.silent'] = silent[1:].mean()
        numbers.setdefault('any_angle.found', right[1:].mean())  # of the first detector
        table.add_row(aligner.detector_name, *(f'{100 * r:.1f}' for r in right), f'{100 * silent[1:].mean():.1f}')
    Console(width=80).print(table)
    return numbers
