"""Check that FastPose learns: a narrow twin must fit 8 drawn faces to under 1 % of the crop's side.

Example:
    python tools/overfit_fastpose.py --summary docs/results/summary.json

Takes half a minute on one CPU core. Exit status 1 where it does not reach 1 %.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from facealign.errors import run_command
from facealign.utils.arguments import whole
from facealign.utils.help_text import HelpFormatter
from facealign.utils.terminal import say

CONFIG = Path(__file__).resolve().parents[1] / 'configs/fastpose/fastpose_stage1_256_datatang106.py'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('--config', type=Path, default=CONFIG, help='(default: the first stage of the default family)')
    parser.add_argument('--steps', type=whole(1), default=400, help='(default %(default)s)')
    parser.add_argument(
        '--size', type=whole(32, 1024), default=96, help='side of the crop in pixels (default %(default)s)'
    )
    parser.add_argument(
        '--summary', type=Path, metavar='JSON', help='also write fastpose.overfit.mpd_pct_of_crop there'
    )
    return parser.parse_args()


def main() -> int:
    args = parse_args()

    from rich.progress import Progress

    import facealign.plugin  # noqa: F401
    from facealign.engine.overfit import overfit
    from facealign.evaluation.summary_file import update_summary

    with Progress() as progress:
        task = progress.add_task('training', total=args.steps)
        result = overfit(
            args.config,
            steps=args.steps,
            size=args.size,
            report=lambda step, loss: progress.update(task, completed=step + 1, description=f'loss {loss:.6f}'),
        )
    say(
        f'mean distance {result.mean:.2f} % of the crop, worst face {result.worst:.2f} %, '
        f'after {args.steps} steps in {result.seconds:.0f} s'
    )
    if args.summary:
        update_summary(args.summary, {'fastpose.overfit.mpd_pct_of_crop': result.mean})
    return int(not result.mean < 1)


if __name__ == '__main__':
    run_command(main)
