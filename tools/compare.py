"""Put the results of several tools/test.py runs into one table and one CED picture.

Writes table.md, ced.png and regions.png (and nme_ppr_mpd.png for 106 points),
and with --key numbers of summary.json.

Examples:
    python tools/compare.py work_dirs/yinnet_128_300w work_dirs/onet_48_300w --out docs/results/common
    python tools/compare.py work_dirs/yinnet_128_300w --out docs/results/common --rename yinnet_128_300w=YinNet \\
        --summary docs/results/summary.json --key yinnet.common.auc08=YinNet@common
"""

from __future__ import annotations

import argparse
from pathlib import Path

from facealign.errors import FaceAlignError, run_command
from facealign.evaluation.report.compare import merge_runs, summary_number
from facealign.evaluation.report.results import write_run
from facealign.evaluation.report.table import is_dense, markdown_tables, print_tables
from facealign.evaluation.summary_file import update_summary
from facealign.utils.files import atomic_write_text
from facealign.utils.help_text import HelpFormatter
from facealign.utils.terminal import say


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('runs', nargs='+', metavar='RUN', help='work dirs with results.json and per_face.csv')
    parser.add_argument(
        '--out', type=Path, metavar='DIR', help='folder of the files; without it the table is only printed'
    )
    parser.add_argument('--rename', nargs='+', default=[], metavar='OLD=NEW', help='names of rows')
    parser.add_argument('--rows', nargs='+', default=[], metavar='NAME', help='only these rows, in this order')
    parser.add_argument('--summary', type=Path, metavar='FILE', help='summary.json that --key writes to')
    parser.add_argument(
        '--key',
        nargs='+',
        default=[],
        metavar='KEY=ROW[@SUBSET]',
        help='KEY ends in what is looked up: auc08, fr1, nme_interocular_pct, mpd_px, ppr3_pct',
    )
    args = parser.parse_args()
    if bool(args.key) != bool(args.summary):
        parser.error('--key and --summary belong together')
    return args


def main() -> None:
    args = parse_args()
    run = merge_runs(args.runs, args.rows, dict(_pair(word, '--rename OLD=NEW') for word in args.rename))
    numbers = {}
    for word in args.key:
        key, where = _pair(word, '--key KEY=ROW[@SUBSET]')
        row, _, subset = where.partition('@')
        numbers[key] = summary_number(run, key, row, subset or None)
    print_tables(run)
    if args.out is not None:
        from facealign.evaluation.report.plots import plot_ced, plot_nme_ppr_mpd, plot_regions

        write_run(run, args.out)
        atomic_write_text(args.out / 'table.md', markdown_tables(run))
        plot_ced(run, args.out / 'ced.png')
        plot_regions(run, run.subsets[-1], args.out / 'regions.png')
        if is_dense(run):
            plot_nme_ppr_mpd(run, run.subsets[-1], args.out / 'nme_ppr_mpd.png')
        say(f'written: table.md, results.json, per_face.csv and pictures in {args.out}')
    if numbers:
        update_summary(args.summary, numbers)
        say(f'set in {args.summary}: ' + ', '.join(f'{key} = {number:.6g}' for key, number in numbers.items()))


def _pair(word: str, form: str) -> tuple[str, str]:
    left, equals, right = word.partition('=')
    if not (left and equals and right):
        raise FaceAlignError(f'{word}: must look like {form}')
    return left, right


if __name__ == '__main__':
    run_command(main)
