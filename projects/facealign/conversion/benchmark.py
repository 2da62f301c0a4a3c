"""How much memory converting and loading Datatang's full set takes, measured on copies by name of a part of it.

The faces at hand are linked under new names, in the full set's 13 sessions,
until there are as many as in the full set; they are converted, then loaded and
augmented for training in two processes, and the memory of all processes together
is sampled. Pages that processes share count in parts (Linux's PSS).
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from facealign.errors import FaceAlignError
from facealign.utils.arguments import whole

FULL_SET = 112_663
_SESSIONS = 13
_CONVERT = """
import sys
from pathlib import Path
from facealign.conversion.convert import Options, convert
convert('datatang', Path(sys.argv[1]), Path(sys.argv[2]), Options(split='ratio:0.8,0.1,0.1'))
"""

_LOAD = """
import sys
import facealign.plugin
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from torch.utils.data import DataLoader
init_default_scope('mmpose')
config = Config.fromfile(sys.argv[1])
config.train_dataloader.dataset.data_root = sys.argv[2]
faces = DATASETS.build(config.train_dataloader.dataset)
loader = DataLoader(faces, batch_size=32, shuffle=True, num_workers=2, collate_fn=pseudo_collate)
for number, _ in zip(range(int(sys.argv[3])), loader):
    pass
"""
_BATCHES = 250  # enough to fill the loaders' caches of decoded images


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of ``tools/benchmark.py convert``."""
    parser.add_argument('src', type=Path, metavar='SRC', help='folder of Datatang faces, any number')
    parser.add_argument('--faces', type=whole(1), default=FULL_SET, help='how many to convert (default %(default)s)')
    parser.add_argument(
        '--config',
        default='configs/yinnet/yinnet_128_datatang106.py',
        help='whose training loads them (default %(default)s)',
    )


def run(args: argparse.Namespace) -> dict[str, float]:
    """Measure, print, and return summary keys and numbers."""
    with tempfile.TemporaryDirectory() as folder:
        faces, out = Path(folder, 'faces'), Path(folder, 'out')
        link_faces(args.src, faces, args.faces)
        start = time.monotonic()
        gib = peak_memory([sys.executable, '-c', _CONVERT, str(faces), str(out)])
        print(f'{args.faces} faces of datatang106: {time.monotonic() - start:.0f} s, {gib:.2f} GiB at most')
        start = time.monotonic()
        load = peak_memory([sys.executable, '-c', _LOAD, str(args.config), str(out), str(_BATCHES)])
        print(f'loading its training part in 2 processes: {time.monotonic() - start:.0f} s, {load:.2f} GiB at most')
    size = f'datatang{args.faces // 1000}k'
    return {f'convert.{size}.gib': gib, f'load.{size}.gib': load}


def link_faces(source: Path, folder: Path, count: int) -> None:
    """Make ``count`` images with their JSON in ``folder``, as links to those in ``source`` in turn.

    Raises:
        FaceAlignError: ``source`` has none.
    """
    stems = sorted(path.with_suffix('') for path in source.glob('*.json') if path.with_suffix('.jpg').is_file())
    if not stems:
        raise FaceAlignError(f'{source}: no NAME.jpg with NAME.json in it; give a folder of Datatang faces')
    for session in range(_SESSIONS):
        (folder / f'session{session + 1:02d}').mkdir(parents=True)
    for number, stem in zip(range(count), itertools.cycle(stems)):
        name = folder / f'session{number % _SESSIONS + 1:02d}' / f'{number + 1:06d}'
        for suffix in ('.jpg', '.json'):
            name.with_suffix(suffix).symlink_to(stem.with_suffix(suffix).resolve())


def peak_memory(command: list[str]) -> float:
    """Run ``command``; the most memory that it and its processes held at once, in GiB (Linux only).

    Raises:
        FaceAlignError: it ended with an error.
    """
    process = subprocess.Popen(command)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(_resident, _tree(process.pid))))
        time.sleep(0.1)
    if process.returncode:
        raise FaceAlignError(f'the command measured ended with status {process.returncode}; its message is above')
    return peak / 2**30


def _tree(pid: int) -> list[int]:
    try:
        children = [int(word) for thread in Path(f'/proc/{pid}/task').iterdir() for word in _words(thread / 'children')]
    except OSError:
        return []
    return [pid, *(process for child in children for process in _tree(child))]


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _resident(pid: int) -> int:
    try:
        lines = Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith('Pss:'))
