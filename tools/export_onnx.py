"""Write a trained model as one ONNX file that FaceAligner and any onnxruntime can use.

The file takes a batch of any size, decodes inside (points in pixels of the
crop come out) and carries its markup, normalisation and crop rule as metadata.
It is compared with PyTorch on real faces before it gets its name.

Examples:
    python tools/export_onnx.py configs/yinnet/yinnet_128_300w.py best.pth yinnet.onnx
    python tools/export_onnx.py configs/yinnet/yinnet_128_300w.py best.pth yinnet.onnx --fp16 --int8
    python tools/export_onnx.py configs/integral/lite_128_joint.py docs/results/weights/lite_128_last_fp16.pth \
        lite68.onnx --fp16 --fit-checkpoint docs/results/weights/lite_128_joint_fp16.pth
"""

from __future__ import annotations

import argparse
from pathlib import Path

from facealign.errors import run_command
from facealign.utils.arguments import whole
from facealign.utils.help_text import HelpFormatter


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file (.pth)')
    parser.add_argument('out', type=Path, metavar='OUT.onnx', help='file to write')
    parser.add_argument('--fp16', action='store_true', help='also write OUT_fp16.onnx, with 16-bit weights')
    parser.add_argument('--int8', action='store_true', help='also write OUT_int8.onnx, calibrated on training faces')
    parser.add_argument(
        '--data', type=Path, metavar='JSON', help="faces to check on (default: the config's test set, or its val set)"
    )
    parser.add_argument(
        '--fit', type=Path, metavar='JSON', help="faces to fit the scores on (default: the config's val set)"
    )
    parser.add_argument(
        '--fit-checkpoint',
        metavar='FILE',
        help='weights of the same network that were not trained on the faces of --fit, where CHECKPOINT was',
    )
    parser.add_argument(
        '--calibrate',
        type=Path,
        metavar='JSON',
        help="faces to calibrate --int8 on (default: the config's training set)",
    )
    parser.add_argument('--faces', type=whole(1), default=600, help='images to check on, at most (default %(default)s)')
    parser.add_argument('--markup', help='of the points, for configs whose dataset does not say it')
    parser.add_argument('--name', help='of the model, for tables (default: the name of OUT)')
    parser.add_argument('--summary', type=Path, metavar='FILE', help='also set the figures in this summary.json')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from facealign.export.run import export

    export(args)


if __name__ == '__main__':
    run_command(main)
