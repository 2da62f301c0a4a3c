"""Check that runs end as they should: on several processes as on one, and after a kill as without.

Examples:
    python tools/check_runs.py ddp
    python tools/check_runs.py kill --summary docs/results/summary.json

All of it on drawn faces, on the CPU; figures go to FILE with --summary.
"""

from __future__ import annotations

import os

os.environ.setdefault('OMP_NUM_THREADS', '1')  # before the first import of torch: one process is to be like another

# ruff: noqa: E402
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from facealign.errors import FaceAlignError, run_command
from facealign.evaluation.summary_file import update_summary
from facealign.utils.help_text import HelpFormatter

ROOT = Path(__file__).resolve().parents[1]
FACES = 80  # at least 40 of them for training in either markup


def draw(folder: Path, num: int = FACES) -> Path:
    """A folder as ``FACEALIGN_DATA``, of drawn faces; returns it."""
    from facealign.conversion.convert import Options, convert
    from facealign.synthetic.write import Sample, draw_sample

    draw_sample(folder / 'raw', Sample(num=num, size=128), workers=1)
    convert('300w', folder / 'raw/300w', folder / '300w', Options(val='random:0.1', workers=1))
    datatang = Options(split='modulo', val=None, workers=1)
    convert('datatang', folder / 'raw/datatang106', folder / 'datatang106', datatang)
    return folder


def run_ddp(args: argparse.Namespace) -> dict[str, float]:
    from facealign.engine.check_distributed import FAMILIES, difference

    names = args.families or list(FAMILIES)
    one, several = args.folder / 'one', args.folder / 'several'
    env = dict(os.environ, FACEALIGN_DATA=str(draw(args.folder / 'data')))
    steps = [str(Path(__file__).resolve()), 'steps', *names]
    launch = ['-m', 'torch.distributed.run', '--standalone', f'--nproc_per_node={args.processes}']
    for command in ([*steps, '--out', str(one)], [*launch, *steps, '--out', str(several), '--reference', str(one)]):
        done = subprocess.run([sys.executable, *command], env=env, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            print(done.stdout[-2000:], done.stderr[-4000:], sep='\n', file=sys.stderr)
            raise FaceAlignError('the steps failed, see above')
    found = {name: difference(one / f'{name}.pt', several / f'{name}.pt') for name in names}
    print(f'{"greatest difference":16}', *(f'{key:>10}' for key in ('weight', 'loss', 'figure')), '   weights moved by')
    for name, each in found.items():
        print(f'{name:19}', *(f'{each[key]:10.1e}' for key in ('weight', 'loss', 'figure')), f'   {each["moved"]:.1e}')
    return {
        f'ddp.max_{key}_difference': max(each[key] for each in found.values()) for key in ('weight', 'loss', 'figure')
    }


def run_steps(args: argparse.Namespace) -> dict[str, float]:
    """One process of ``ddp``."""
    import torch

    from facealign.engine.check_distributed import train_and_test

    torch.set_num_threads(1)
    if 'RANK' in os.environ:
        torch.distributed.init_process_group('gloo')
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.families:
        reference = args.reference and args.reference / f'{name}.pt'
        train_and_test(ROOT / 'configs', name, args.out / f'{name}.pt', reference)
    from facealign.engine.launch import leave_processes

    leave_processes()
    return {}


def run_kill(args: argparse.Namespace) -> dict[str, float]:
    import torch

    import facealign.cli
    import facealign.plugin  # noqa: F401 - before the copies of this process are made
    from facealign.engine.check_kills import Work, check, files_outcome, training_outcome

    torch.set_num_threads(1)
    data = draw(args.folder / 'data', num=40)
    os.environ['FACEALIGN_DATA'] = str(data)
    out = args.folder / 'out'
    small = ['train_dataloader.batch_size=8', 'train_cfg.max_epochs=6', 'train_cfg.val_interval=2']
    works = {
        'train': (
            Work(
                'train',
                out,
                (
                    str(ROOT / 'tools/train.py'),
                    str(ROOT / 'configs/onet/onet_48_300w.py'),
                    *('--work-dir', str(out), '--cfg-options', *small, 'default_hooks.checkpoint.interval=1'),
                ),
                training_outcome,
                again=('--resume',),
                critical=('.pth', 'last_checkpoint'),
            ),
            args.train - args.train // 3,
            args.train // 3,
        ),
        'align': (
            Work(
                'align',
                out,
                (facealign.cli.__file__, 'align', str(data / 'raw/300w'), '--out', str(out), '--save-images'),
                files_outcome,
            ),
            args.align - args.align // 2,
            args.align // 2,
        ),
        'convert': (
            Work(
                'convert',
                out,
                (
                    str(ROOT / 'tools/convert_dataset.py'),
                    *('300w', str(data / 'raw/300w'), '--out', str(out), '--crop', '--crop-face', '64'),
                    *('--workers', '1'),
                ),
                files_outcome,
            ),
            args.convert - args.convert // 2,
            args.convert // 2,
        ),
    }
    done, lost = 0, []
    for work, by_time, in_writing in works.values():
        kills = check(work, by_time, in_writing, lambda line: print(line, flush=True))
        done, lost = done + kills.done, lost + kills.lost
    print(f'{done} kills, {len(lost)} lost', *lost, sep='\n')
    return {'kill.kills': done, 'kill.lost': len(lost)}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    ddp = commands.add_parser('ddp', help='training and measuring on several processes against one')
    ddp.add_argument('families', nargs='*', help='which networks (default: all)')
    ddp.add_argument('--processes', type=int, default=2, choices=(2, 4, 5, 8), help='(default %(default)s)')
    ddp.set_defaults(run=run_ddp)
    kill = commands.add_parser('kill', help='kill -9 of training, aligning and converting, then run again')
    for name, count in (('train', 30), ('align', 20), ('convert', 20)):
        kill.add_argument(f'--{name}', type=int, default=count, help='how many times (default %(default)s)')
    kill.set_defaults(run=run_kill)
    for command in (ddp, kill):
        command.add_argument('--summary', type=Path, metavar='FILE', help='also set the figures in this summary.json')
    steps = commands.add_parser('steps')  # what ddp starts
    steps.add_argument('families', nargs='+')
    steps.add_argument('--out', type=Path, required=True)
    steps.add_argument('--reference', type=Path)
    steps.set_defaults(run=run_steps, summary=None)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    with tempfile.TemporaryDirectory() as folder:
        args.folder = Path(folder)
        numbers = args.run(args)
    if args.summary is not None:
        update_summary(args.summary, numbers)


if __name__ == '__main__':
    run_command(main)
