"""Find the faces in a folder of images and write their boxes as a CSV file.

One row a face, best score first, and a row with empty sides for an image
without any; x1, y1, x2, y2 are 0-based pixels, y1 the top. The file serves as
``--boxes csv:OUT.csv`` of tools/convert_dataset.py.

Examples:
    python tools/detect_faces.py /data/300W boxes.csv
    python tools/detect_faces.py /data/300W boxes.csv --detector yunet:face_detection_yunet.onnx
"""

from __future__ import annotations

import argparse
from pathlib import Path

from facealign.conversion.readers.base import check_folder, is_text, list_images
from facealign.detection.base import detector_names, needs_model
from facealign.detection.detect_files import detect_files, why_unread
from facealign.errors import FaceAlignError, run_command
from facealign.io.box_table import write_box_csv
from facealign.utils.arguments import whole
from facealign.utils.files import ensure_writable
from facealign.utils.help_text import HelpFormatter
from facealign.utils.terminal import say


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('src', type=Path, metavar='SRC', help='folder of images; its sub-folders are searched too')
    parser.add_argument('out', type=Path, metavar='OUT.csv', help='file to write; its paths are relative to SRC')
    parser.add_argument(
        '--detector',
        default='dlib-hog',
        metavar='NAME[:FILE]',
        help=', '.join(f'{name}:FILE' if needs_model(name) else name for name in detector_names())
        + ' (default %(default)s)',
    )
    parser.add_argument('--workers', type=whole(), help='processes (default: all cores)')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    listed = list_images(check_folder(args.src), unread=True)
    names = [name for name in listed if is_text(name)]
    if not names:
        raise FaceAlignError(f'{args.src}: no images in it; give the folder that holds them')
    ensure_writable(args.out.parent)
    detector, _, model = args.detector.partition(':')
    found = detect_files([args.src / name for name in names], detector, model or None, args.workers)
    boxes = {name: rows for name, rows in zip(names, found) if rows is not None}
    write_box_csv(args.out, boxes)
    for name in sorted(set(listed) - set(names)):
        say(f'left out: {name}: file name is not UTF-8')
    for name, rows in zip(names, found):
        if rows is None:
            say(f'left out: {name}: {why_unread(args.src / name)}')
    hits = sum(len(rows) > 0 for rows in boxes.values())
    faces = sum(len(rows) for rows in boxes.values())
    several = sum(len(rows) > 1 for rows in boxes.values())
    say(f'{args.detector}: {faces} faces; found in {hits} of {len(names)} images ({100 * hits / len(names):.1f} %),')
    say(f'in {several} of them more than one; written: {args.out}')


if __name__ == '__main__':
    run_command(main)
