"""The weights of a training's checkpoint alone, in 16 bits: small enough to hand on, enough to start from or export.

With averaged weights (EMAHook) these are the averaged ones, as MMEngine saves them. Optimizer, scheduler and log go.

Example:
    python tools/publish_checkpoint.py work_dirs/lite_128_joint/epoch_240.pth lite_128_joint_fp16.pth
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from facealign.errors import run_command
from facealign.utils.files import atomic_write_bytes
from facealign.utils.help_text import HelpFormatter


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('checkpoint', type=Path, help='of tools/train.py')
    parser.add_argument('out', type=Path, help='file to write')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    import torch

    from facealign.apis import read_checkpoint, state_of

    state = state_of(read_checkpoint(args.checkpoint), args.checkpoint)
    halved = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    file = io.BytesIO()
    torch.save({'state_dict': halved, 'meta': {'config': args.out.name.removesuffix('_fp16.pth') + '.py'}}, file)
    atomic_write_bytes(args.out, file.getvalue())
    print(f'{len(halved)} tensors, {len(file.getvalue()) / 1e6:.1f} MB, written to {args.out}')


if __name__ == '__main__':
    run_command(main)
