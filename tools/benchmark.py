"""Measure this project's own speed; every subcommand prints its figures and can keep them with --summary.

Examples:
    python tools/benchmark.py evaluate
    python tools/benchmark.py evaluate --summary docs/results/summary.json
    python tools/benchmark.py convert /data/datatang106
    python tools/benchmark.py infer --data data/300w/test_common.json --ert dlib_ert.dat --plot speed.png
    python tools/benchmark.py shift lite68 base68 --data data/300w/test_common.json --ert dlib_ert.dat
    python tools/benchmark.py turn --data data/300w/test_common.json --detector dlib-hog-retry --detector yunet:FILE
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from facealign.conversion import benchmark as benchmark_convert
from facealign.errors import run_command
from facealign.evaluation import any_angle
from facealign.evaluation import robustness as box_shift
from facealign.evaluation import speed_command as benchmark_command
from facealign.evaluation.summary_file import update_summary
from facealign.markup import get_markup, markup_names
from facealign.utils.arguments import whole
from facealign.utils.help_text import HelpFormatter

Numbers = dict[str, float]


def add_evaluate(commands: argparse._SubParsersAction) -> None:
    """``evaluate``: all metrics with intervals of 112,000 random faces of 106 points."""
    parser = commands.add_parser('evaluate', help='time and memory of all metrics with bootstrap intervals')
    parser.add_argument('--faces', type=whole(1), default=112_000, help='(default %(default)s)')
    parser.add_argument('--markup', choices=markup_names(), default='datatang106', help='(default %(default)s)')
    parser.add_argument('--resamples', type=whole(1), default=1000, help='of the bootstrap (default %(default)s)')
    parser.set_defaults(run=run_evaluate)


def run_evaluate(args: argparse.Namespace) -> Numbers:
    from facealign.metrics.benchmark import benchmark_evaluate

    found = benchmark_evaluate(get_markup(args.markup), args.faces, args.resamples)
    print(f'{args.faces} faces of {args.markup}, {args.resamples} resamples: ', end='')
    print(f'{found["seconds"]:.2f} s, {found["gib"]:.2f} GiB at most')
    return {f'evaluate.{args.faces // 1000}k.{name}': number for name, number in found.items()}


def add_infer(commands: argparse._SubParsersAction) -> None:
    """``infer``: ms a face and an image, of models, detectors, dlib and a peer, with their accuracy."""
    parser = commands.add_parser('infer', help='speed and accuracy of models and detectors, beside dlib')
    benchmark_command.add_arguments(parser)
    parser.set_defaults(run=benchmark_command.run)


def add_shift(commands: argparse._SubParsersAction) -> None:
    """``shift``: accuracy when the boxes are off by a little, of models and dlib."""
    parser = commands.add_parser('shift', help='accuracy when the boxes are shifted and scaled, beside dlib')
    box_shift.add_arguments(parser)
    parser.set_defaults(run=box_shift.run)


def add_turn(commands: argparse._SubParsersAction) -> None:
    """``turn``: share of faces found and right in photos turned by 90, 180 and 270 degrees."""
    parser = commands.add_parser('turn', help='faces found and right in photos on their side or on their head')
    any_angle.add_arguments(parser)
    parser.set_defaults(run=any_angle.run)


def add_convert(commands: argparse._SubParsersAction) -> None:
    """``convert``: memory of converting as many faces as Datatang's full set has."""
    parser = commands.add_parser('convert', help="memory of converting Datatang's full set, on links to a part of it")
    benchmark_convert.add_arguments(parser)
    parser.set_defaults(run=benchmark_convert.run)


def add_train(commands: argparse._SubParsersAction) -> None:
    """``train``: images a second of tools/train.py against a bare PyTorch loop."""
    parser = commands.add_parser('train', help='training speed against a bare PyTorch loop, in fp32 and bf16')
    parser.add_argument('--config', default='configs/yinnet/yinnet_128_300w.py', help='(default %(default)s)')
    parser.add_argument(
        '--rounds', type=whole(1), default=8, help='stretches of 15 steps of each (default %(default)s)'
    )
    parser.set_defaults(run=run_train)


def run_train(args: argparse.Namespace) -> Numbers:
    from facealign.engine.launch import load_config

    numbers = {}
    for precision, wrapper in (('fp32', 'OptimWrapper'), ('bf16', 'Bfloat16OptimWrapper')):
        config = load_config(argparse.Namespace(config=args.config, local_rank=0, launcher='none', work_dir=None))
        config.optim_wrapper.type = wrapper
        config.log_level = 'ERROR'
        from facealign.engine.benchmark import benchmark_train

        found = benchmark_train(config, args.rounds)
        print(
            f'{precision}: {found["images_per_second"]:.0f} images/s, bare loop '
            f'{found["bare_images_per_second"]:.0f} images/s, ratio {found["ratio"]:.3f}'
        )
        numbers[f'train.speed_ratio_{precision}'] = found['ratio']
    return numbers


# One line a subcommand: what adds its arguments, and in them ``run``, which returns summary keys and numbers.
COMMANDS: tuple[Callable[[argparse._SubParsersAction], None], ...] = (
    add_evaluate,
    add_train,
    add_infer,
    add_shift,
    add_turn,
    add_convert,
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    for add in COMMANDS:
        add(commands)
    for command in commands.choices.values():
        command.add_argument('--summary', type=Path, metavar='FILE', help='also set the figures in this summary.json')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    numbers = args.run(args)
    if args.summary is not None:
        update_summary(args.summary, numbers)


if __name__ == '__main__':
    run_command(main)
