"""Give unlabelled faces the points that a model finds whatever the box, as a dataset to train on.

Each face is looked at in several boxes; points on which these disagree are left absent, faces that differ on the whole
are left out. The JSON file is like those of tools/convert_dataset.py.

Example:
    python tools/pseudo_label.py IMAGES --boxes boxes.csv --box-rule yunet --model base68 --out data/unlabelled
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from facealign.conversion.pseudo_labels import pseudo_labels
from facealign.conversion.readers.base import check_folder, list_images
from facealign.detection.calibration import get_box_rule
from facealign.errors import FaceAlignError, run_command
from facealign.inference.aligner import FaceAligner
from facealign.io.box_table import read_box_csv
from facealign.io.coco import relative_root, write_coco
from facealign.utils.files import atomic_path, ensure_writable
from facealign.utils.help_text import HelpFormatter


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('images', type=Path, help='folder of the images')
    parser.add_argument('--boxes', type=Path, required=True, metavar='FILE', help='table of their face boxes')
    parser.add_argument('--box-rule', default='landmarks', metavar='NAME', help='whose boxes these are (%(default)s)')
    parser.add_argument('--model', default='base68', help='a shipped model, or an ONNX file (%(default)s)')
    parser.add_argument('--no-flip-test', action='store_true', help='half the time, a little less accurate')
    parser.add_argument('--threads', type=int, help='of the network (default: all cores)')
    parser.add_argument('--seed', type=int, default=0, help='of the boxes that are tried (%(default)s)')
    parser.add_argument('--out', type=Path, required=True, help='folder for train.json')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    aligner = FaceAligner(
        args.model, detector='whole', threads=args.threads, flip_test=not args.no_flip_test, turned=False
    )
    boxes = read_box_csv(args.boxes, list_images(check_folder(args.images)))
    found = pseudo_labels(aligner, args.images, boxes, get_box_rule(args.box_rule), args.seed)
    if not found.faces:
        raise FaceAlignError(f'{args.images}: no face on which {args.model} agrees with itself; give other boxes')
    markup = aligner.model.info.markup
    ensure_writable(args.out)
    with atomic_path(args.out / 'train.json') as temporary, open(temporary, 'w', encoding='utf-8') as file:
        root = relative_root(args.images, args.out)
        write_coco(file, found.faces, markup, split='train', boxes=args.boxes.name, image_root=root)
    absent = sum(int((~face.annotated).sum()) for face in found.faces)
    print(f'{len(found.faces)} faces with {absent} points absent, written to {args.out / "train.json"}')
    for reason, count in Counter(one.reason for one in found.left_out).items():
        print(f'left out: {count} ({reason})')


if __name__ == '__main__':
    run_command(main)
