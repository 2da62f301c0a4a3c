"""Measure a model: python tools/test.py configs/yinnet/yinnet_128_300w.py CHECKPOINT

Prints one table of the model and the baselines of the config, and writes
results.json, per_face.csv and ced.png to the work dir. On several GPUs:
bash tools/dist_test.sh CONFIG CHECKPOINT NUM.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from facealign.engine.launch import (
    add_common_arguments,
    check_checkpoint,
    disk_errors,
    leave_processes,
    load_config,
    prepare_work_dir,
)
from facealign.errors import FaceAlignError, run_command
from facealign.utils.files import ensure_writable
from facealign.utils.help_text import HelpFormatter


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file (.pth)')
    parser.add_argument('--dump', metavar='FILE.pkl', help='also write all predictions to this file')
    add_common_arguments(parser)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    config = load_config(args)

    from mmengine.runner import Runner

    import facealign.plugin  # noqa: F401

    check_checkpoint(args.checkpoint, args.config)
    config.load_from = args.checkpoint
    if args.dump is not None:
        if not args.dump.endswith(('.pkl', '.pickle')):
            raise FaceAlignError(f'{args.dump}: --dump writes a pickle; name it .pkl')
        ensure_writable(Path(args.dump).parent, '--dump')
        if Path(args.dump).is_dir():
            raise FaceAlignError(f'{args.dump}: is a folder; name a file')
        config.test_evaluator.metrics.append(dict(type='DumpResults', out_file_path=args.dump))
    prepare_work_dir(config)
    with disk_errors(config.work_dir):
        Runner.from_cfg(config).test()
    leave_processes()


if __name__ == '__main__':
    run_command(main)
