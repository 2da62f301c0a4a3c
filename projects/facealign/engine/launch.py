"""What tools/train.py and tools/test.py have in common."""

from __future__ import annotations

import argparse
import errno
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config, DictAction

from facealign.errors import FaceAlignError
from facealign.utils.arguments import real, whole
from facealign.utils.config_file import read_config
from facealign.utils.files import ensure_writable

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """MMPose's flags that both commands have."""
    parser.add_argument('--work-dir', help='folder of logs, checkpoints and results (default: work_dirs/CONFIG)')
    parser.add_argument('--show-dir', help='write pictures of predictions to this folder')
    parser.add_argument('--show', action='store_true', help='show predictions in a window')
    parser.add_argument('--interval', type=whole(1), default=1, help='picture every N-th sample only (default 1)')
    parser.add_argument('--wait-time', type=real(0), default=1, help='seconds a picture is shown with --show')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='settings that replace those of the config, such as train_cfg.max_epochs=10',
    )
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm', 'mpi'), default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def load_config(args: argparse.Namespace) -> Config:
    """The config of the command line, with its common flags applied.

    Raises:
        FaceAlignError: the file is missing or is no config.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    path = Path(args.config)
    config = read_config(path, 'model', 'default_scope')
    config.launcher = args.launcher
    config.work_dir = args.work_dir or config.get('work_dir') or str(Path('work_dirs') / path.stem)
    if getattr(args, 'show', False) or getattr(args, 'show_dir', None) is not None:
        # MMPose puts a relative folder under WORK_DIR/TIME, whatever the user meant.
        show_dir = None if args.show_dir is None else str(Path(args.show_dir).resolve())
        config.default_hooks.visualization.update(
            enable=True, show=args.show, out_dir=show_dir, interval=args.interval, wait_time=args.wait_time
        )
    _apply_options(config, getattr(args, 'cfg_options', None) or {})
    if args.launcher == 'pytorch' and not _has_gpu():
        _distribute_on_cpu(config)
    return config


def _apply_options(config: Config, options: dict) -> None:
    """``options`` over the config; its schedule follows ``train_cfg.max_epochs``, but for what they say of it."""
    from facealign.engine.schedule import fit_schedule

    try:
        changed = config.copy()
        changed.merge_from_dict(options)
        fit_schedule(config, (changed.get('train_cfg') or {}).get('max_epochs'))
        config.merge_from_dict(options)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, AssertionError) as error:
        raise FaceAlignError(
            f'{config.filename}: cannot take the settings {options} ({error}); correct them'
        ) from error


def check_checkpoint(path: str, config: str) -> None:
    """Make sure that ``path`` can be loaded, safely, before anything is built for it.

    Raises:
        FaceAlignError: missing, no checkpoint, or one whose loading would run code.
    """
    from facealign.apis import read_checkpoint, state_of

    if not Path(path).exists():
        raise FaceAlignError(f'{path}: no such checkpoint; train one with tools/train.py {config}')
    remedy = 'give a .pth that tools/train.py wrote'
    state_of(read_checkpoint(path, remedy), path, remedy)


def prepare_work_dir(config: Config) -> None:
    """Make sure that the work dir and that of pictures can be written; what killed runs left half-written goes.

    Raises:
        FaceAlignError: one is a file, or cannot be written.
    """
    ensure_writable(config.work_dir, '--work-dir')
    pictures = config.get('default_hooks', {}).get('visualization') or {}
    if pictures.get('out_dir'):
        ensure_writable(pictures['out_dir'], '--show-dir')


@contextmanager
def disk_errors(work_dir: str) -> Iterator[None]:
    """A disk that is full or fails while MMEngine writes logs or pictures, as one line."""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            raise
        raise FaceAlignError(
            f'{error.filename or work_dir}: cannot be written ({error.strerror}); make room, then go on with --resume'
        ) from error


def is_first_process() -> bool:
    """Whether this is the process of a run that speaks and tidies up."""
    return os.environ.get('RANK', '0') == '0'


def _distribute_on_cpu(config: Config) -> None:
    """Several processes without a GPU; MMEngine 0.10 asks for one as it joins."""
    import torch.distributed

    torch.distributed.init_process_group('gloo')
    config.env_cfg.dist_cfg.backend = 'gloo'
    if not config.get('model_wrapper_cfg'):
        config.model_wrapper_cfg = dict(type='FaceDistributedDataParallel', broadcast_buffers=False)


def leave_processes() -> None:
    """Part from the other processes of a run, if any; without it Python may abort as it ends under Gloo's threads.

    Nothing that refers to a network wrapped for them may be left: its
    reducer, if it outlives the group, ends Gloo's threads while it holds
    Python's lock, which they wait for now and then, for ever.
    """
    import torch.distributed

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        gc.collect()  # a runner refers to itself
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
