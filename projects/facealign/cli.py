"""The command ``facealign``: ``align`` and ``serve``.

Nothing is imported before it is needed, so that ``--help`` is there at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from facealign.errors import FaceAlignError, run_command
from facealign.utils.arguments import real
from facealign.utils.help_text import HelpFormatter

_ALIGN = """Find the faces in images and videos, and the landmarks of each.

Examples:
    facealign align photo.jpg --save-images --out out
    facealign align photos/ 'more/*.png' --out out --format csv
    facealign align list.txt --out out --format pts --detector dlib-hog
    facealign align clip.mp4 --out out --save-video --smooth
    facealign align webcam --show --smooth

Results in --out:
    landmarks.json, landmarks.csv,
    alphapose-results.json     all inputs, also of earlier runs into the folder
    NAME.pts, NAME.2.pts …     of images: first face, second face …
    NAME.npy                   of images: all faces
    NAME/000000.pts …          of videos
    images/NAME.jpg,
    videos/NAME.mp4            drawn
    failures.csv               file, reason

NAME is the input's without its suffix. The suffix stays where it tells inputs apart: 1.jpg beside 1.png, 1.jpg.jpg,
p.2.jpg. Of inputs of one name, a later one is called by its full path.
Files in DIR that no run has made are neither replaced nor removed.

landmarks.csv has the columns image, frame, time, face, track, box_x1, box_y1, box_x2, box_y2, box_score,
turned (degrees), doubtful (0 or 1), of the points x0, y0, score0, x1 …, and error. An input or frame without a face has
one row whose other cells are empty.
"""
_INPUTS = (
    'images, videos, folders (with all below them), globs, list files (.txt, one path a line; numbers behind it are '
    'passed over), or webcam[:NUMBER]'
)


def build_parser() -> argparse.ArgumentParser:
    from facealign import __version__

    parser = argparse.ArgumentParser(prog='facealign', description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument('--version', action='version', version=f'facealign {__version__}')
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    align = commands.add_parser(
        'align',
        help='find faces and their landmarks in images and videos',
        description=_ALIGN,
        formatter_class=HelpFormatter,
    )
    add_align_arguments(align)
    serve = commands.add_parser('serve', help='open a local page to try it on (needs the extra "serve")')
    serve.add_argument('--port', type=int, default=7860, help='of the page (default %(default)s)')
    serve.add_argument(
        '--host',
        default='127.0.0.1',
        metavar='ADDRESS',
        help='to listen at (default %(default)s: this machine only); 0.0.0.0 lets everybody on your network in',
    )
    serve.add_argument(
        '--allow-host',
        action='append',
        default=[],
        metavar='NAME',
        help="another name by which the page may be opened, such as a proxy's; may be given several times",
    )
    serve.add_argument('--no-browser', action='store_true', help='do not open a browser window')
    return parser


def add_align_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('inputs', nargs='+', metavar='IN', help=_INPUTS)
    parser.add_argument(
        '--out',
        type=Path,
        metavar='DIR',
        help='folder for the results; without it they are printed, a JSON line an image',
    )
    parser.add_argument(
        '--format',
        action='append',
        choices=('json', 'csv', 'pts', 'npy', 'alphapose'),
        help='of the results in --out (default json); may be given several times',
    )
    parser.add_argument('--save-images', action='store_true', help='also write the images with the landmarks drawn')
    parser.add_argument('--save-video', action='store_true', help='also write the videos with the landmarks drawn')
    parser.add_argument('--show', action='store_true', help='show videos and cameras in a window (q closes it)')
    parser.add_argument(
        '--draw',
        default='',
        metavar='WHAT',
        help='what to draw besides the points, with commas: numbers, box, scores, truth (NAME.pts beside the image)',
    )
    parser.add_argument(
        '--detector',
        metavar='NAME[:FILE]',
        help='dlib-hog-retry, dlib-hog, dlib-cnn:FILE, yunet[:FILE], mtcnn, mmdet:CONFIG+CHECKPOINT, boxes:FILE, '
        'whole; the default is yunet where its file is found, else dlib-hog-retry',
    )
    parser.add_argument(
        '--box-rule', metavar='NAME', help='whose boxes those of --detector boxes:FILE are like, such as yunet'
    )
    parser.add_argument(
        '--model',
        metavar='FILE|CONFIG+CHECKPOINT',
        help='an ONNX file of tools/export_onnx.py, a shipped model by name, or an MMPose config and checkpoint',
    )
    parser.add_argument('--min-score', type=real(), help='leave out faces that the detector scores lower')
    parser.add_argument(
        '--batch', type=int, default=32, help='faces that the network gets at once (default %(default)s)'
    )
    parser.add_argument('--threads', type=int, help='of the network (default: all cores)')
    parser.add_argument(
        '--device', default='cpu', choices=('cpu', 'cuda'), help='for the network (default %(default)s)'
    )
    parser.add_argument(
        '--flip-test',
        action='store_true',
        help="take the mean of each face's points and its mirror image's: a little more accurate, half as fast",
    )
    parser.add_argument(
        '--no-turned',
        dest='turned',
        action='store_false',
        help='do not try images turned by quarters where no face is found or the points are doubtful',
    )
    parser.add_argument('--smooth', action='store_true', help='steady the points of videos over time')
    parser.add_argument(
        '--restart',
        action='store_true',
        help='do the inputs again, also what an earlier run did; results of other settings are removed',
    )


def align(args: argparse.Namespace) -> int:
    """Run ``facealign align``; returns the exit status."""
    _check(args)
    _quieten_opencv()
    from facealign.inference.sources import find_sources

    sources = find_sources(args.inputs, leave_out=args.out)

    from facealign.detection.base import detector_files
    from facealign.inference.align_files import Options, align_files
    from facealign.inference.aligner import FaceAligner, model_files
    from facealign.inference.file_content import digest_of_files
    from facealign.visualization.overlay import EXTRAS, Overlay

    extras = [word.strip() for word in args.draw.split(',') if word.strip()]
    unknown = [word for word in extras if word not in EXTRAS]
    if unknown:
        raise FaceAlignError(f'--draw {args.draw}: {", ".join(unknown)} is not one of {", ".join(EXTRAS)}')
    aligner = FaceAligner(
        args.model,
        args.detector,
        min_score=args.min_score,
        batch=args.batch,
        threads=args.threads,
        device=args.device,
        box_rule=args.box_rule,
        flip_test=args.flip_test,
        turned=args.turned,
    )
    settings = dict(
        detector=args.detector or aligner.detector_name,
        box_rule=args.box_rule,
        min_score=args.min_score,
        turned=args.turned,
        files=digest_of_files([*model_files(args.model), *detector_files(args.detector)]),
    )
    options = Options(
        out=args.out,
        formats=tuple(dict.fromkeys(args.format or ['json'])),
        save_images=args.save_images,
        save_video=args.save_video,
        show=args.show,
        smooth=args.smooth,
        restart=args.restart,
        overlay=Overlay(**dict.fromkeys(extras, True)),
        settings=settings,
    )
    return align_files(aligner, sources, options)


def _check(args: argparse.Namespace) -> None:
    for name in ('format', 'save_images', 'save_video'):
        if getattr(args, name) and args.out is None:
            raise FaceAlignError(f'--{name.replace("_", "-")}: needs a folder to write to; add --out DIR')
    if args.batch < 1:
        raise FaceAlignError(f'--batch {args.batch}: must be at least 1')
    if args.threads is not None and args.threads < 1:
        raise FaceAlignError(f'--threads {args.threads}: must be at least 1')


def _quieten_opencv() -> None:
    """Leave reports of broken images and videos to us: one line each. It reads these when it is first loaded."""
    os.environ.setdefault('OPENCV_LOG_LEVEL', 'SILENT')
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')


def serve(args: argparse.Namespace) -> int:
    """Run ``facealign serve``; returns the exit status."""
    _quieten_opencv()
    from facealign.inference.serve import launch

    launch(args.port, open_browser=not args.no_browser, host=args.host, allow_hosts=args.allow_host)
    return 0


def _run(argv: list[str]) -> int:
    args = build_parser().parse_args(argv)
    return align(args) if args.command == 'align' else serve(args)


def main() -> None:
    """The entry point of the command ``facealign``."""
    run_command(_run, sys.argv[1:])


if __name__ == '__main__':
    main()
