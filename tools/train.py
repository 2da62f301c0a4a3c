"""Train a model: python tools/train.py configs/yinnet/yinnet_128_300w.py

Logs, checkpoints and TensorBoard files go to work_dirs/CONFIG. On several
GPUs: bash tools/dist_train.sh CONFIG NUM.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from facealign.engine.launch import (
    add_common_arguments,
    check_checkpoint,
    disk_errors,
    is_first_process,
    leave_processes,
    load_config,
    prepare_work_dir,
)
from facealign.errors import FaceAlignError, run_command
from facealign.utils.help_text import HelpFormatter
from facealign.utils.terminal import say

if TYPE_CHECKING:
    from mmengine.config import Config


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint, or from the newest whole one in the work dir',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision: float16 on a GPU, bfloat16 on CPU')
    parser.add_argument('--no-validate', action='store_true', help='do not validate during training')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help="scale the learning rate from the config's batch size to the real one",
    )
    add_common_arguments(parser)
    return parser.parse_args()


def choose_start(config: Config, args: argparse.Namespace) -> None:
    """What training starts or goes on from, by ``--resume`` and ``load_from``; checked before anything is built."""
    from facealign.engine.resume import check_resumable, find_checkpoint

    if args.resume == 'auto':
        # A run that was killed before its first checkpoint begins anew, from load_from where the config names one.
        found = find_checkpoint(config.work_dir)
        config.resume = found is not None
        if found is not None:
            config.load_from = str(found.path)
        if is_first_process():
            say(f'going on from {found}' if found else f'{config.work_dir}: no checkpoint to go on from; begins anew')
        if found is not None:
            return
    elif args.resume is not None:
        check_resumable(args.resume)
        config.resume, config.load_from = True, args.resume
    if config.get('load_from') and not config.resume:
        if not Path(config.load_from).is_file():
            raise FaceAlignError(
                f'{config.load_from}: no such checkpoint, and {args.config} starts from it; make it as the '
                'config says, or name one with --cfg-options load_from=FILE'
            )
        check_checkpoint(config.load_from, args.config)


def main() -> None:
    args = parse_args()
    config = load_config(args)
    prepare_work_dir(config)

    import torch
    from mmengine.runner import Runner

    import facealign.plugin  # noqa: F401

    if args.no_validate:
        config.val_cfg = config.val_dataloader = config.val_evaluator = None
        config.default_hooks.checkpoint.pop('save_best', None)
    if args.amp:
        if config.optim_wrapper.get('type', 'OptimWrapper') != 'OptimWrapper':
            raise FaceAlignError(f'{args.config}: --amp: its optim_wrapper already is {config.optim_wrapper.type}')
        config.optim_wrapper.type = 'AmpOptimWrapper' if torch.cuda.is_available() else 'Bfloat16OptimWrapper'
    choose_start(config, args)
    if args.auto_scale_lr:
        config.auto_scale_lr.enable = True
    with disk_errors(config.work_dir):
        Runner.from_cfg(config).train()
    leave_processes()


if __name__ == '__main__':
    run_command(main)
