"""Draw the faces that a model gets most wrong, annotated and predicted points together, on one sheet.

Example:
    python tools/worst_faces.py data/300w/test_common.json --model lite68 --num 24 --out worst.png

Boxes are the rectangles of the annotated points. Under each picture stands its rank and its mean error, in percent of
sqrt(w · h) of that rectangle; the table names the files.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from facealign.errors import FaceAlignError, run_command
from facealign.evaluation.detectors import face_error
from facealign.inference.aligner import FaceAligner, load_model
from facealign.io.coco_images import read_annotated
from facealign.io.image import read_image
from facealign.markup import Markup
from facealign.utils.arguments import picture, whole
from facealign.utils.files import atomic_path
from facealign.utils.help_text import HelpFormatter
from facealign.utils.terminal import cell, say
from facealign.visualization.drawing import draw_face, tile

_PICTURE = 480  # pixels of the longer side of a picture
_ROOM = 0.25  # around the face, as a share of the longer side of its points' rectangle


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('data', type=Path, help='JSON file of tools/convert_dataset.py')
    parser.add_argument('--model', help='an ONNX file or a shipped model by name (default: the shipped one)')
    parser.add_argument('--num', type=whole(1), default=24, help='how many faces (default %(default)s)')
    parser.add_argument('--columns', type=whole(1), default=6, help='pictures in a row (default %(default)s)')
    parser.add_argument(
        '--out', type=picture('.png', '.jpg', '.webp'), required=True, metavar='FILE.png', help='the sheet'
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    markup, images = read_annotated(args.data)
    aligner = FaceAligner(load_model(args.model), 'whole')
    if aligner.model.info.markup != markup:
        raise FaceAlignError(
            f'{args.data}: its points are {markup.name}, those of {aligner.model.name} '
            f'{aligner.model.info.markup.name}; choose another --model'
        )
    faces = []
    for image in images:
        for points, rectangle, face in zip(image.points, image.rectangles, aligner(image.path, image.rectangles)):
            faces.append((face_error(face.points, points, rectangle), image.path, points, face.points))
    if not faces:
        raise FaceAlignError(f'{args.data}: holds no faces; convert the data again')
    faces.sort(key=lambda face: -face[0])
    worst = faces[: args.num]
    table = Table()
    table.add_column('rank', justify='right')
    table.add_column('error %', justify='right')
    table.add_column('file', overflow='fold')
    for rank, (error, path, _, _) in enumerate(worst, start=1):
        table.add_row(str(rank), f'{100 * error:.1f}', cell('/'.join(path.parts[-3:])))
    sheet = tile(
        [_close_up(read_image(path), truth, found, markup) for _, path, truth, found in worst],
        args.columns,
        captions=[f'{rank}: {100 * face[0]:.1f} %' for rank, face in enumerate(worst, start=1)],
    )
    with atomic_path(args.out) as temporary:
        if not cv2.imwrite(str(temporary), sheet):
            raise OSError('OpenCV wrote nothing')
    say(f'the worst of {len(faces)} faces of {args.data.name} for {aligner.model.name}')
    Console(width=80).print(table)
    say(f'written: {args.out}')


def _close_up(image: np.ndarray, truth: np.ndarray, found: np.ndarray, markup: Markup) -> np.ndarray:
    """The face cut out, with both sets of points."""
    low, high = np.nanmin(truth, axis=0), np.nanmax(truth, axis=0)
    room = _ROOM * (high - low).max()
    x1, y1 = np.clip(low - room, 0, None).astype(int)
    x2, y2 = np.clip(high + room, None, image.shape[1::-1]).astype(int) + 1
    part = image[y1:y2, x1:x2]
    factor = _PICTURE / max(part.shape)  # enlarged before drawing, so that dots stay small beside the face
    size = (round(part.shape[1] * factor), round(part.shape[0] * factor))
    part = cv2.resize(part, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    truth, found = (((points - (x1, y1)) + 0.5) * factor - 0.5 for points in (truth, found))
    return draw_face(part, found, markup, truth=truth)


if __name__ == '__main__':
    run_command(main)
