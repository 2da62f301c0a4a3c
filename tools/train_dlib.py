"""Train dlib's landmark predictor on the training faces of a config: the baseline of every table.

Examples:
    python tools/train_dlib.py configs/yinnet/yinnet_128_300w.py
    python tools/train_dlib.py configs/yinnet/yinnet_128_300w.py --ann-file train.json
    python tools/train_dlib.py CONFIG --boxes landmarks --cascade-depth 6 --trees 100    (a minute, for a try)
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from facealign.errors import run_command
from facealign.evaluation.baselines_dlib import BOXES, PREDICTOR, ErtOptions, train_ert
from facealign.utils.arguments import whole
from facealign.utils.config_file import read_config
from facealign.utils.help_text import HelpFormatter
from facealign.utils.terminal import say


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('config', type=Path, help='config file; its train_dataloader names the faces')
    parser.add_argument('--out', type=Path, metavar='FILE', help=f"default: {PREDICTOR} in the config's data_root")
    parser.add_argument('--ann-file', help="another annotation file of the config's data_root, such as train.json")
    parser.add_argument(
        '--boxes',
        choices=BOXES,
        default=BOXES[0],
        help='auto (default): the annotated face boxes, or those of dlib-hog where the file has none',
    )
    defaults = ErtOptions()
    parser.add_argument('--cascade-depth', type=whole(1), default=defaults.cascade_depth, help='(default %(default)s)')
    parser.add_argument(
        '--trees', type=whole(1), default=defaults.trees, help='per level of the cascade (default %(default)s)'
    )
    parser.add_argument('--tree-depth', type=whole(1), default=defaults.tree_depth, help='(default %(default)s)')
    parser.add_argument(
        '--oversampling',
        type=whole(1),
        default=defaults.oversampling,
        help='starting shapes per face (default %(default)s)',
    )
    parser.add_argument('--seed', type=whole(), default=defaults.seed, help='(default %(default)s)')
    parser.add_argument(
        '--threads',
        type=whole(1),
        default=defaults.threads,
        help='part of the result, as is the seed (default %(default)s)',
    )
    return parser.parse_args()


def annotation_file(config: Path, ann_file: str | None) -> tuple[Path, Path]:
    """The training annotations that a config names, and its data_root."""
    dataset = read_config(config, 'train_dataloader.dataset.ann_file', import_modules=False).train_dataloader.dataset
    root = Path(dataset.get('data_root') or '.')
    return root / (ann_file or dataset.ann_file), root


def main() -> None:
    args = parse_args()
    annotations, root = annotation_file(args.config, args.ann_file)
    out = args.out or root / PREDICTOR
    options = ErtOptions(args.cascade_depth, args.trees, args.tree_depth, args.oversampling, args.seed, args.threads)
    start = time.monotonic()
    about = train_ert(annotations, out, options, args.boxes)
    found = about['boxes_found']
    origin = f' ({found} found, {about["faces"] - found} by the median of these)' if found else ''
    minutes = (time.monotonic() - start) / 60
    say(f'trained {about["training"]} in {minutes:.1f} minutes; boxes: {about["boxes"]}{origin}')
    say(f'written: {out} and {out.with_suffix(".json").name}')


if __name__ == '__main__':
    run_command(main)
