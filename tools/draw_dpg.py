"""Draw what DPG does: boxes with moved sides about a face, and crops of each kind.

Examples:
    python tools/draw_dpg.py docs/images/dpg_boxes.png
    python tools/draw_dpg.py /tmp/dpg.png --data data/300w/val.json --dpg configs/_base_/dpg_hog.py

Without --data, on drawn faces.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import numpy as np

from facealign.errors import run_command
from facealign.utils.arguments import picture, whole
from facealign.utils.config_file import read_config
from facealign.utils.files import atomic_path
from facealign.utils.help_text import HelpFormatter
from facealign.utils.terminal import say

PADDING, CROP, BOXES = 1.25, 192, 12
KINDS = {
    'sides moved': dict(patch_prob=0, part_prob=0),
    'patch': dict(patch_prob=1, part_prob=0),
    'half or quadrant': dict(patch_prob=0, part_prob=1),
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('out', type=picture('.png', '.jpg', '.pdf', '.svg'), metavar='OUT.png', help='picture to write')
    parser.add_argument('--data', type=Path, metavar='JSON', help='faces of this file instead of drawn ones')
    parser.add_argument('--markup', default='ibug68', help='of the faces of --data (default ibug68)')
    parser.add_argument(
        '--dpg', type=Path, metavar='FILE.py', help='constants of tools/fit_dpg.py (default: published)'
    )
    parser.add_argument('--faces', type=whole(1, 100), default=3, help='how many faces (default 3)')
    parser.add_argument('--seed', type=whole(0, 2**32 - 1), default=0)
    return parser.parse_args()


def drawn_faces(seed: int) -> Iterator[dict]:
    from facealign.synthetic.render import random_face

    for number in count():
        face = random_face((seed, number))
        points = face.points106[None].astype(np.float32)
        box = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1)
        yield dict(img=face.image, bbox=box, keypoints=points, keypoints_visible=np.ones(points.shape[:2]))


def annotated_faces(path: Path, markup: str, seed: int) -> Iterator[dict]:
    from facealign.datasets.face_dataset import FaceDataset

    faces = FaceDataset(ann_file=str(path), markup=markup, pipeline=[dict(type='LoadFaceImage')])
    for index in np.random.default_rng(seed).permutation(len(faces)):
        yield faces[int(index)]


def main() -> None:
    args = parse_args()
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle
    from mmengine.registry import init_default_scope
    from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine

    import facealign.plugin  # noqa: F401
    from facealign.datasets.dpg import DPG

    init_default_scope('mmpose')
    sides = read_config(args.dpg, 'dpg_sides').dpg_sides if args.dpg else {}
    kinds = {name: DPG(padding=PADDING, **sides, **options) for name, options in KINDS.items()}
    faces = annotated_faces(args.data, args.markup, args.seed) if args.data else drawn_faces(args.seed)
    np.random.seed(args.seed)

    figure, axes = plt.subplots(args.faces, 4, figsize=(10, 2.6 * args.faces), squeeze=False, layout='constrained')
    for row, face in zip(axes, islice(faces, args.faces)):
        row[0].imshow(face['img'][..., ::-1])
        moved = [kinds['sides moved'](dict(face))['bbox'][0] for _ in range(BOXES)]
        for (x1, y1, x2, y2), style in [(box, dict(ec='deepskyblue', lw=0.8)) for box in moved] + [
            (face['bbox'][0], dict(ec='white', lw=2))
        ]:
            row[0].add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, **style))
        for axis, transform in zip(row[1:], kinds.values()):
            results = TopdownAffine((CROP, CROP))(GetBBoxCenterScale(PADDING)(transform(dict(face))))
            axis.imshow(results['img'][..., ::-1])
            seen = results['keypoints_visible'][0] > 0
            axis.plot(*results['transformed_keypoints'][0][seen].T, '.', color='yellow', ms=2)
            axis.set(xlim=(-0.5, CROP - 0.5), ylim=(CROP - 0.5, -0.5))
    axes[0, 0].set_title('annotated (white), moved (blue)', fontsize=10)
    for axis, name in zip(axes[0, 1:], kinds):
        axis.set_title(f'crop: {name}', fontsize=10)
    for axis in axes.flat:
        axis.set_axis_off()
    with atomic_path(args.out) as temporary:
        figure.savefig(temporary, dpi=90)
    say(f'written: {args.out}')


if __name__ == '__main__':
    run_command(main)
