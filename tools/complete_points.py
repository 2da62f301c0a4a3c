"""Give converted faces the points of the other markup, so that each trains a joint network with all its points.

Example:
    python tools/complete_points.py configs/integral/base_128_joint.py docs/results/weights/base_128_joint_fp16.pth \
        data/300w/train.json data/datatang106/train.json data/datatang106/val.json

writes data/300w/train_completed.json and so on, what configs/integral/*_completed.py train on. Annotated points stay as
they are; the others are the network's own, moved as far as it is off at the annotated points nearby. --check says how
good they are on faces that the network was not trained on, and writes nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from facealign.errors import run_command
from facealign.utils.help_text import HelpFormatter
from facealign.utils.terminal import say


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('config', help='config file of a network that was trained on several markups')
    parser.add_argument('checkpoint', help='its checkpoint (.pth)')
    parser.add_argument('annotations', nargs='+', type=Path, metavar='JSON', help='files of tools/convert_dataset.py')
    parser.add_argument(
        '--check', action='store_true', help='hide a third of the annotated points and measure how well they are found'
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()

    from facealign.datasets.complete import check_file, complete_file
    from facealign.engine.launch import check_checkpoint
    from facealign.utils.config_file import read_config

    check_checkpoint(args.checkpoint, args.config)
    config = read_config(args.config, 'model', 'train_dataloader')
    for path in args.annotations:
        if args.check:
            own, moved = check_file(path, config, args.checkpoint)
            say(f'{path}: hidden points are off by {own:.2%} of the face, moved {moved:.2%} ({moved / own - 1:+.0%})')
            continue
        out = path.with_name(f'{path.stem}_completed.json')
        count = complete_file(path, out, config, args.checkpoint)
        say(f'{count} faces: {out}')


if __name__ == '__main__':
    run_command(main)
