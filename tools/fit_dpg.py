"""Fit DPG's constants to a face detector: its boxes against the rectangles of the annotated points.

Example:
    python tools/convert_dataset.py 300w /data/300W --out data/300w_hog --boxes dlib-hog
    python tools/fit_dpg.py data/300w_hog/train.json --out configs/_base_/dpg_hog.py

A second-stage config that has the written file in the place of _base_/dpg.py
trains on boxes like that detector's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

from facealign.conversion.dpg_fit import SIDES, fit_file, write_fragment
from facealign.errors import run_command
from facealign.utils.help_text import HelpFormatter
from facealign.utils.terminal import say


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('annotations', type=Path, metavar='JSON', help='of convert_dataset.py, with --boxes DETECTOR')
    parser.add_argument('--out', type=Path, metavar='FILE.py', help='config file to write; without it, only print')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    fit = fit_file(args.annotations)
    say(f'{fit.faces} boxes ({fit.boxes}) of {args.annotations}; {fit.undetected} faces without')
    table = Table()
    for heading in ('side', 'mean', 'std'):
        table.add_column(heading, justify='left' if heading == 'side' else 'right')
    for side, mean, std in zip(SIDES, fit.mean, fit.std):
        table.add_row(side, f'{mean:+.4f}', f'{std:.4f}')
    Console().print(table)
    if args.out:
        write_fragment(args.out, fit, args.annotations.name)
        say(f'written: {args.out}')


if __name__ == '__main__':
    run_command(main)
