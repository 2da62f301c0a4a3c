"""Draw the sample data: parametric faces with exact points, in 300W's and in Datatang's own layout.

Examples:
    python tools/draw_sample_data.py --out data/sample
    python tools/draw_sample_data.py --out /tmp/sample --num 60 --seed 7

OUT/300w has 300W's folders with .jpg and .pts (68 points), OUT/datatang106
NNNNNN.jpg and .json (106 points) of the same faces. The same seed draws the
same files; run again, it keeps what is there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from facealign.errors import run_command
from facealign.synthetic.write import Sample, draw_sample
from facealign.utils.arguments import whole
from facealign.utils.help_text import HelpFormatter
from facealign.utils.terminal import say


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('--out', type=Path, required=True, help='folder to draw into')
    parser.add_argument('--num', type=int, default=Sample.num, help='number of faces (default %(default)s)')
    parser.add_argument('--seed', type=int, default=Sample.seed, help='0 or more (default %(default)s)')
    parser.add_argument(
        '--size', type=int, default=Sample.size, help='width and height of a picture, roughly (default %(default)s)'
    )
    parser.add_argument('--workers', type=whole(), help='processes (default: all cores)')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    sample = Sample(num=args.num, seed=args.seed, size=args.size)
    drawn = draw_sample(args.out, sample, args.workers)
    say(f'{"drawn" if drawn else "already there"}: {sample.num} faces in {args.out}/300w and {args.out}/datatang106')


if __name__ == '__main__':
    run_command(main)
