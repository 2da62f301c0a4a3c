"""Convert 300W, Menpo, Datatang, LaPa or any folder of images with .pts files to COCO JSON.

Examples:
    python tools/convert_dataset.py 300w /data/300W --out data/300w
    python tools/convert_dataset.py 300w /data/300W --out data/300w_hog --boxes dlib-hog --crop
    python tools/convert_dataset.py 300w /data/300W --out data/300w_pack --split csv:visionlabs_split.csv
    python tools/convert_dataset.py pts /data/mine --out data/mine --boxes yunet:yunet.onnx --split random:0.15
    python tools/convert_dataset.py datatang /data/datatang --out data/datatang106 --split ratio:0.8,0.1,0.1
    python tools/convert_dataset.py datatang annot_coco.h5 --images /data/datatang --out data/datatang106
    python tools/convert_dataset.py lapa /data/LaPa --out data/lapa --markup ibug68
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from facealign.conversion.convert import FORMATS, Options, convert
from facealign.conversion.summary import print_summary
from facealign.detection.base import detector_names, needs_model
from facealign.detection.detect_files import detect_files
from facealign.errors import FaceAlignError, run_command
from facealign.markup import markup_names
from facealign.utils.arguments import real, whole
from facealign.utils.help_text import HelpFormatter
from facealign.utils.terminal import say


def parse_args(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('format', choices=FORMATS, help='how SRC is laid out')
    parser.add_argument(
        'src', type=Path, metavar='SRC', help='folder of the images and annotations (datatang: or annot_coco.h5)'
    )
    parser.add_argument('--out', type=Path, required=True, help='folder for the JSON files')
    parser.add_argument(
        '--boxes',
        metavar='NAME[:FILE]',
        help='face boxes: landmarks (no detector: face_bbox stays null), csv:FILE, or a detector: '
        + ', '.join(f'{name}:FILE' if needs_model(name) else name for name in detector_names())
        + '; "NAME FILE" works too. Default: the boxes in the --split list, if it has any, else landmarks',
    )
    parser.add_argument(
        '--split',
        default='official',
        metavar='HOW',
        help='official (by folder; the default), train or test (all of it), csv:FILE (columns image, split), '
        'list:FILE[,FILE...] (image names; '
        "the list's own name says train, val or test), random:SHARE (SHARE is the test part), ratio:TRAIN,VAL,TEST, or "
        'modulo (number in the file name modulo 10: 0 and 1 test, 2 val). Draws keep the faces of a photo together',
    )
    parser.add_argument(
        '--val',
        default=Options.val,
        metavar='HOW',
        help='also cut train.json into fit.json and val.json, by photo: random:SHARE (default %(default)s) or none',
    )
    parser.add_argument('--seed', type=whole(), default=0, help='of the random draws (default 0)')
    parser.add_argument(
        '--exif',
        choices=('shown', 'stored'),
        default='shown',
        help='for images with an EXIF orientation: whether their points were drawn on the picture as shown (default) '
        'or on the stored pixels',
    )
    parser.add_argument(
        '--markup',
        metavar='NAME',
        help=f"write the points in this markup ({', '.join(markup_names())}; default: the format's own); for pts: what "
        'they are, also the FILE.json of a markup of your own (default: 68 points are ibug68, others are inferred)',
    )
    parser.add_argument('--images', type=Path, metavar='DIR', help='folder of the images that an annot_coco.h5 names')
    parser.add_argument('--crop', action='store_true', help='write images cut around each face to OUT/images')
    parser.add_argument(
        '--crop-margin', type=real(0, 10), default=0.5, help='room on each side, of the face (default 0.5)'
    )
    parser.add_argument(
        '--crop-face', type=real(1), default=256, help='scale larger faces down to (pixels, default 256)'
    )
    parser.add_argument(
        '--no-duplicates',
        dest='duplicates',
        action='store_false',
        help='do not look for photos that occur more than once under other names, rescaled, cropped or mirrored; '
        'otherwise they are listed, and draws keep them together',
    )
    parser.add_argument(
        '--hand-placed',
        type=Path,
        metavar='FILE',
        help='CSV of image names and a digit for each point: those with 0 were not placed by hand, and become absent',
    )
    parser.add_argument('--workers', type=whole(), help='processes for detecting and cropping (default: all cores)')
    return parser.parse_args(join_values(argv))


def join_values(argv: list[str]) -> list[str]:
    """``--boxes csv FILE`` → ``--boxes csv:FILE``, and the same for ``--split`` and detectors with a model."""
    takes_value = {'csv', 'list', 'random', 'ratio', *(name for name in detector_names() if needs_model(name))}
    joined: list[str] = []
    for word in argv:
        if len(joined) > 1 and joined[-2] in ('--boxes', '--split') and joined[-1] in takes_value:
            joined[-1] += f':{word}'
        else:
            joined.append(word)
    return joined


def main() -> None:
    args = parse_args(sys.argv[1:])
    boxes, detect = args.boxes, None
    if boxes is not None and boxes != 'landmarks' and not boxes.startswith('csv:'):
        boxes, _, model = boxes.partition(':')
        if boxes not in detector_names():
            raise FaceAlignError(
                f'--boxes {boxes}: no such boxes; there are landmarks, csv:FILE, {", ".join(detector_names())}'
            )
        detect = partial(detect_files, name=boxes, model=model or None, workers=args.workers)
    options = Options(
        split=args.split,
        boxes=boxes,
        detect=detect,
        val=None if args.val == 'none' else args.val,
        seed=args.seed,
        exif=args.exif,
        markup=args.markup,
        images=args.images,
        crop=args.crop,
        crop_margin=args.crop_margin,
        crop_face=args.crop_face,
        duplicates=args.duplicates,
        hand_placed=args.hand_placed,
        workers=args.workers,
    )
    summary = convert(args.format, args.src, args.out, options)
    print_summary(summary)
    say(f'written: {", ".join(f"{name}.json" for name in summary["splits"])} and summary.json in {args.out}')


if __name__ == '__main__':
    run_command(main)
