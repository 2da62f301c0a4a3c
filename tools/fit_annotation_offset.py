"""Measure how far to the right of a network's points annotators place theirs: ``model.head.annotation_offset``.

Fit it on training faces only. With --check, the AUC@0.08 on other faces is given without and with it.

Example:
    python tools/fit_annotation_offset.py configs/integral/base_128_joint.py base.pth data/300w/train.json \
        --check data/300w/val.json
"""

from __future__ import annotations

import argparse
from pathlib import Path

from facealign.errors import run_command
from facealign.utils.help_text import HelpFormatter


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('config', help='config file of an integral network')
    parser.add_argument('checkpoint', help='its weights (.pth)')
    parser.add_argument('data', type=Path, help='JSON file of tools/convert_dataset.py: the training faces to fit on')
    parser.add_argument('--check', type=Path, nargs='+', default=[], metavar='JSON', help='faces to measure it on')
    parser.add_argument(
        '--summary', type=Path, metavar='FILE', help='also set annotation_offset.NAME_gain_MODEL in this summary.json'
    )
    parser.add_argument('--name', default='', metavar='MODEL', help='of the model, for --summary')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from facealign.evaluation.summary_file import update_summary
    from facealign.export.annotation_offset import fit_annotation_offset
    from facealign.utils.config_file import read_config

    offset, gains = fit_annotation_offset(read_config(args.config), args.checkpoint, args.data, args.check)
    print(f'annotation_offset={offset:.6f}')
    for gain in gains:
        print(f'{gain.path.stem}: AUC@0.08 {gain.without:.4f} without, {gain.with_offset:.4f} with it')
    if args.summary is not None:
        checked = {gain.path.stem.removeprefix('test_'): gain.with_offset - gain.without for gain in gains[1:]}
        keys = {f'annotation_offset.{name}_gain_{args.name}': round(gain, 4) for name, gain in checked.items()}
        update_summary(args.summary, keys)


if __name__ == '__main__':
    run_command(main)
