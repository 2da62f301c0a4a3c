"""Measure how detectors' boxes lie on annotated faces, and write the rules that inference cuts its crops by.

Run it on training faces only. The table shows what each detector finds; its
rule goes to the JSON file, where rules of other detectors stay.

Example:
    python tools/fit_box_rules.py data/300w/train.json --detector dlib-hog --detector yunet:yunet.onnx
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from facealign.detection import calibration as box_rules
from facealign.detection.calibration_fit import check_detections, fit_rule
from facealign.detection.detect_files import detect_files
from facealign.errors import FaceAlignError, run_command
from facealign.evaluation.summary_file import update_summary
from facealign.io.coco_images import read_annotated
from facealign.utils.arguments import whole
from facealign.utils.files import atomic_write_text
from facealign.utils.help_text import HelpFormatter
from facealign.utils.reading import MEBIBYTE, read_json
from facealign.utils.terminal import say

# Boxes that say little about the face, or are of few sizes: a second pass pays (AUC@0.08 +0.03 with HOG, 0 with
# YuNet).
_PASSES = {'whole': 2, 'dlib-hog': 2, 'dlib-hog-retry': 2, 'dlib-cnn': 2}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('data', type=Path, help='JSON file of tools/convert_dataset.py, of training faces')
    parser.add_argument(
        '--detector', action='append', required=True, metavar='NAME[:FILE]', help='may be given several times'
    )
    parser.add_argument(
        '--out', type=Path, default=Path(box_rules.__file__).with_suffix('.json'), help='file of the rules'
    )
    parser.add_argument('--images', type=whole(1), help='use so many images, evenly over the file (default: all)')
    parser.add_argument('--workers', type=whole(), help='processes (default: all cores)')
    parser.add_argument('--summary', type=Path, metavar='FILE', help='also set the hit rates in this summary.json')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    _, images = read_annotated(args.data, args.images)
    rules = _read_rules(args.out)
    table = Table(title=f'{sum(len(image.points) for image in images)} faces of {args.data.name}')
    for column in ('detector', 'found', '%', 'false boxes', 'shift x, y', 'size w, h'):
        table.add_column(column, justify='left' if column == 'detector' else 'right')
    rates = {}
    for spec in args.detector:
        name, _, model = spec.partition(':')
        found = check_detections(images, detect_files([i.path for i in images], name, model or None, args.workers))
        if not len(found.boxes):
            raise FaceAlignError(f'{name}: finds none of the faces of {args.data}; no rule can be fitted')
        rule = fit_rule(found.boxes, found.rectangles, _PASSES.get(name, 1))
        rules[name] = dict(shift=rule.shift, size=rule.size, passes=rule.passes)
        shift, size = (f'{x:.3f}, {y:.3f}' for x, y in (rule.shift, rule.size))
        table.add_row(name, str(len(found.boxes)), f'{100 * found.hit_rate:.2f}', str(found.false_boxes), shift, size)
        key = 'default' if name == 'dlib-hog-retry' else name.replace('-', '_')
        rates[f'detector.{key}.hit_rate_train300w'] = round(found.hit_rate, 5)
    Console(width=80).print(table)
    lines = [f' {json.dumps(name)}: {json.dumps(rule)}' for name, rule in sorted(rules.items())]
    atomic_write_text(args.out, '{\n' + ',\n'.join(lines) + '\n}\n')
    say(f'written: {args.out}')
    if args.summary is not None:
        update_summary(args.summary, rates)


def _read_rules(path: Path) -> dict[str, Any]:
    """The rules that are there already."""
    try:
        rules = read_json(path, MEBIBYTE) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise FaceAlignError(f'{path}: cannot be read as JSON; correct or remove it') from error
    if not isinstance(rules, dict):
        raise FaceAlignError(f'{path}: not a map from detector to rule; correct or remove it')
    return rules


if __name__ == '__main__':
    run_command(main)
