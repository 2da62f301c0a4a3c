"""What tools/train.py and tools/test.py have in common."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from mmengine.config import Config, DictAction

from facealign.errors import FaceAlignError


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """MMPose's flags that both commands have."""
    parser.add_argument('--work-dir', help='folder of logs, checkpoints and results (default: work_dirs/CONFIG)')
    parser.add_argument('--show-dir', help='write pictures of predictions to this folder')
    parser.add_argument('--show', action='store_true', help='show predictions in a window')
    parser.add_argument('--interval', type=int, default=1, help='picture every N-th sample only (default 1)')
    parser.add_argument('--wait-time', type=float, default=1, help='seconds a picture is shown with --show')
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
    if not path.is_file():
        raise FaceAlignError(f'{path}: no such config; see configs/')
    try:
        config = Config.fromfile(path)
    except (SyntaxError, NameError, KeyError, ValueError, OSError) as error:
        raise FaceAlignError(f'{path}: not a config that can be read ({error}); correct it') from error
    config.launcher = args.launcher
    config.work_dir = args.work_dir or config.get('work_dir') or str(Path('work_dirs') / path.stem)
    if getattr(args, 'show', False) or getattr(args, 'show_dir', None) is not None:
        # MMPose puts a relative folder under WORK_DIR/TIME, whatever the user meant.
        show_dir = None if args.show_dir is None else str(Path(args.show_dir).resolve())
        config.default_hooks.visualization.update(
            enable=True, show=args.show, out_dir=show_dir, interval=args.interval, wait_time=args.wait_time
        )
    if getattr(args, 'cfg_options', None):
        config.merge_from_dict(args.cfg_options)
    if args.launcher == 'pytorch' and not _has_gpu():
        _distribute_on_cpu(config)
    return config


def check_checkpoint(path: str, config: str) -> None:
    """Make sure that ``path`` can be loaded, safely, before anything is built for it.

    Raises:
        FaceAlignError: missing, no checkpoint, or one whose loading would run code.
    """
    import torch

    if not Path(path).is_file():
        raise FaceAlignError(f'{path}: no such checkpoint; train one with tools/train.py {config}')
    try:
        checkpoint = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # whatever a broken or a hostile pickle provokes
        reason = ' '.join(str(error).split())[:120] or type(error).__name__
        raise FaceAlignError(
            f'{path}: not a checkpoint that can be loaded safely ({reason}); give a .pth that tools/train.py wrote'
        ) from error
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get('state_dict', checkpoint), dict):
        raise FaceAlignError(f'{path}: holds no weights; give a .pth that tools/train.py wrote')


def _distribute_on_cpu(config: Config) -> None:
    """Several processes without a GPU; MMEngine 0.10 asks for one as it joins and as it wraps the model."""
    import torch.distributed

    torch.distributed.init_process_group('gloo')
    config.env_cfg.dist_cfg.backend = 'gloo'
    config.model_wrapper_cfg = dict(type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False)


def leave_processes() -> None:
    """Part from the other processes of a run, if any; without it Python may abort as it ends under Gloo's threads."""
    import torch.distributed

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()
