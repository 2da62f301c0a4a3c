"""Try mutated inputs on everything that reads what others wrote; the status is 1 if anything but an error line comes.

Every parser, image, video, model, checkpoint and table, and the arrays that FaceAligner takes. Nothing but this
repository is needed. Failing inputs are kept, with what they did, and can be tried again.

Examples:
    python tools/fuzz.py --seconds 600 --seed 1
    python tools/fuzz.py --only pts coco --inputs 500
    python tools/fuzz.py --only yunet mmod --extra DIR    # with files in DIR/yunet/ and DIR/mmod/
    python tools/fuzz.py --again work_dirs/fuzz/pts-17.pts
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from rich.console import Console
from rich.table import Table

from facealign.errors import run_command
from facealign.evaluation.summary_file import update_summary
from facealign.fuzz.runner import Result, fuzz
from facealign.fuzz.targets import TARGETS, find_target
from facealign.fuzz.worker import EXTRA
from facealign.utils.help_text import HelpFormatter


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('--seconds', type=float, default=600, help='for all targets together (default %(default)s)')
    parser.add_argument('--inputs', type=int, metavar='N', help='so many inputs a target instead, by its weight')
    parser.add_argument('--seed', type=int, default=0, help='of the mutations (default %(default)s)')
    parser.add_argument('--only', nargs='+', metavar='TARGET', help=f'of {", ".join(t.name for t in TARGETS)}')
    parser.add_argument(
        '--out', type=Path, default=Path('work_dirs/fuzz'), help='for failing inputs (default %(default)s)'
    )
    parser.add_argument('--extra', type=Path, metavar='DIR', help='files of your own to begin from: DIR/TARGET/FILE')
    parser.add_argument('--again', type=Path, metavar='FILE', help='try a kept input once more, in this process')
    parser.add_argument('--summary', type=Path, metavar='FILE', help='also set the numbers in this summary.json')
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    if args.again is not None:
        return _again(args.again)
    if args.extra is not None:
        os.environ[EXTRA] = str(args.extra.absolute())
    targets = [find_target(name) for name in args.only] if args.only else list(TARGETS)
    results = fuzz(targets, args.out, args.seed, None if args.inputs else args.seconds, args.inputs, _tell)
    _print(results)
    numbers = {
        'fuzz.inputs': sum(result.inputs for result in results),
        'fuzz.tracebacks': sum(len(result.tracebacks) for result in results),
        'fuzz.crashes': sum(len(result.crashes) + len(result.hangs) for result in results),
    }
    print(', '.join(f'{key} = {number}' for key, number in numbers.items()))
    if args.summary is not None:
        update_summary(args.summary, numbers)
    return int(any(result.failures for result in results))


def _again(path: Path) -> int:
    target = find_target(path.name.partition('.')[0].rpartition('-')[0])
    try:
        print(f'read: {target.run(path.absolute())}')
    except target.refusals as error:
        print(f'refused: {error}')
    return 0


def _tell(result: Result) -> None:
    for failure in (*result.tracebacks, *result.crashes, *result.hangs):
        print(failure, flush=True)
    state = result.skipped or f'{result.inputs} inputs, {result.failures} failures, slowest {result.slowest:.2f} s'
    print(f'{result.name}: {state}', flush=True)


def _print(results: list[Result]) -> None:
    table = Table()
    columns = ('target', 'inputs', 'refused', 'read', 'tracebacks', 'crashes', 'hangs', 'slowest, s')
    for column in columns:
        table.add_column(column, justify='left' if column == 'target' else 'right')
    for result in results:
        if result.skipped:
            table.add_row(result.name, result.skipped)
            continue
        failed = (len(result.tracebacks), len(result.crashes), len(result.hangs))
        numbers = map(str, (result.inputs, result.refused, result.read, *failed))
        table.add_row(result.name, *numbers, f'{result.slowest:.2f}')
    Console(width=100).print(table)


if __name__ == '__main__':
    run_command(main)
