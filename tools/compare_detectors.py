"""AUC@0.08 of one model by detector, faces that it misses counted as failures.

Example:
    python tools/compare_detectors.py data/300w/test_common.json --detector dlib-hog --detector yunet:yunet.onnx
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from facealign.errors import run_command
from facealign.evaluation.detectors import DetectorAccuracy, accuracy
from facealign.evaluation.summary_file import update_summary
from facealign.inference.aligner import FaceAligner, load_model
from facealign.inference.flip_test import FlipTest
from facealign.io.coco_images import read_annotated
from facealign.utils.arguments import whole
from facealign.utils.help_text import HelpFormatter
from facealign.utils.terminal import say


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('data', type=Path, help='JSON file of tools/convert_dataset.py')
    parser.add_argument('--model', help='an ONNX file or a shipped model by name (default: the shipped one)')
    parser.add_argument(
        '--detector',
        action='append',
        metavar='NAME[:FILE]',
        help='may be given several times (default: dlib-hog-retry, dlib-hog and whole)',
    )
    parser.add_argument(
        '--flip-test', action='store_true', help="the mean of each face's points and its mirror image's"
    )
    parser.add_argument('--images', type=whole(1), help='use so many images, evenly over the file (default: all)')
    parser.add_argument('--summary', type=Path, metavar='FILE', help='also set each AUC in this summary.json')
    args = parser.parse_args()
    names = [spec.partition(':')[0] for spec in args.detector or []]
    if args.summary is not None and (args.images is not None or len(set(names)) < len(names)):
        parser.error('--summary keeps figures of whole files, one for each kind of detector: leave out --images')
    return args


def main() -> None:
    args = parse_args()
    _, images = read_annotated(args.data, args.images)
    model = load_model(args.model)
    if args.flip_test:
        model = FlipTest(model)
    faces = sum(len(image.points) for image in images)
    table = Table(title=f'{model.name} on {faces} faces of {args.data.name}')
    for column in ('boxes', 'missed', 'AUC@0.08', 'FR@0.08 [95 %]', 'NME of found, %'):
        table.add_column(column, justify='left' if column == 'boxes' else 'right')
    detectors = args.detector or ['dlib-hog-retry', 'dlib-hog', 'whole']
    console = Console(stderr=True)
    aucs = {}
    for spec in track(['landmarks', *detectors], console=console, disable=not console.is_terminal):
        from_landmarks = spec == 'landmarks'
        found = accuracy(FaceAligner(model, 'whole' if from_landmarks else spec), images, from_landmarks)
        name = spec.partition(':')[0]
        aucs[f'{model.name}.boxes_{name.replace("-", "_")}.auc08'] = found.auc
        add_row(table, name, found)
    Console(width=80).print(table)
    if args.summary is not None:
        update_summary(args.summary, aucs)
    say('NME and AUC by sqrt(w · h) of the rectangle of the annotated points.')


def add_row(table: Table, name: str, found: DetectorAccuracy) -> None:
    low, high = (f'{end:.3f}'.removeprefix('0') for end in found.failure_interval)
    table.add_row(
        name,
        str(found.missed),
        f'{found.auc:.4f}',
        f'{found.failure_rate:.3f} [{low}, {high}]',
        f'{100 * found.nme_landmark_bbox:.2f}',
    )


if __name__ == '__main__':
    run_command(main)
