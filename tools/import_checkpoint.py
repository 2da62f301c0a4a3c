"""Turn a published checkpoint of a reference system into one of this project, with the same outputs.

Examples:
    python tools/import_checkpoint.py visionlabs yinnet.pth
    python tools/import_checkpoint.py datatang106 duc_se.pth --out work_dirs/datatang106.pth

Prints the config that it belongs to. Nothing in the file is run: it must hold
tensors alone.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from facealign.errors import run_command
from facealign.utils.files import atomic_write_bytes
from facealign.utils.help_text import HelpFormatter
from facealign.utils.terminal import say

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('system', choices=('visionlabs', 'datatang106'), help='who published it')
    parser.add_argument('file', type=Path, metavar='FILE', help='the published .pth or .pkl: a state dict')
    parser.add_argument('--out', type=Path, help='default: FILE with the ending .facealign.pth')
    return parser.parse_args()


def main() -> None:
    args = parse_args()

    import torch
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    import facealign.plugin  # noqa: F401
    from facealign.models.import_checkpoint import read_state_dict, recognise, rename_parameters

    state = read_state_dict(args.file)
    network = recognise(args.system, state, args.file)
    config = Config.fromfile(CONFIGS / network.config)
    init_default_scope(config.default_scope)
    weights = rename_parameters(network, state, MODELS.build(config.model).state_dict(), args.file)
    out = args.out or args.file.with_suffix('.facealign.pth')
    written = io.BytesIO()  # torch's own writer of files says nothing of a full disk
    torch.save(dict(state_dict=weights, meta=dict(system=args.system, network=network.name)), written)
    atomic_write_bytes(out, written.getvalue())
    say(f'{network.name}, written: {out}')
    say(f'its config: configs/{network.config}')


if __name__ == '__main__':
    run_command(main)
