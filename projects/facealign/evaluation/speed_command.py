"""``tools/benchmark.py infer``: its arguments, its tables, its picture."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from facealign.detection.base import open_detector, yunet_file
from facealign.errors import FaceAlignError
from facealign.evaluation.detectors import accuracy
from facealign.evaluation.robustness import ert_on_landmarks, measure
from facealign.evaluation.speed import (
    DlibErt,
    PeerModel,
    Stages,
    end_to_end_jobs,
    make_frames,
    measure_memory,
    model_stages,
    time_in_turns,
)
from facealign.inference.align_files import Options
from facealign.inference.aligner import FaceAligner
from facealign.inference.model_file import OnnxModel, model_path
from facealign.inference.sources import find_sources
from facealign.io.coco_images import AnnotatedImage, read_annotated
from facealign.utils.arguments import picture, real, whole
from facealign.utils.files import atomic_path

_FRAMES = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('models', nargs='*', help='model files, or shipped ones by name (default: the shipped one)')
    parser.add_argument(
        '--data', type=Path, required=True, metavar='JSON', help='annotated faces, such as test_common.json'
    )
    parser.add_argument('--ert', type=Path, metavar='DAT', help="dlib's shape predictor, to measure beside the models")
    parser.add_argument('--pfld', type=Path, metavar='ONNX', help='pfld_68_112.onnx, to measure beside the models')
    parser.add_argument('--detector', action='append', metavar='NAME[:FILE]', help='to time (default: those at hand)')
    parser.add_argument(
        '--images', type=whole(1), help='for the accuracy, so many, evenly over the data (default: all)'
    )
    parser.add_argument(
        '--seconds', type=real(0.01), default=10, help='for each group of timings (default %(default)s)'
    )
    parser.add_argument(
        '--memory', action='store_true', help='also run the command line over the images and watch its memory'
    )
    parser.add_argument('--plot', type=picture('.png', '.pdf', '.svg'), metavar='PNG', help='draw accuracy over time')


def run(args: argparse.Namespace) -> dict[str, float]:
    """Measure and print; returns keys and figures for the summary.

    Raises:
        FaceAlignError: a file is missing or not its kind.
    """
    _, images = read_annotated(args.data, args.images)
    frames, rectangles = make_frames(images, _FRAMES)
    paths = [model_path(model) for model in args.models or [None]]
    ert = DlibErt(args.ert) if args.ert else None
    cv2.setNumThreads(1)
    timed: dict[int | None, dict[str, Stages]] = {}
    for threads in (1, None):
        loaded: dict[str, Any] = {path.stem: OnnxModel(path, threads) for path in paths}
        if args.pfld:
            loaded['pfld'] = PeerModel(args.pfld, threads)
        timed[threads] = model_stages(loaded, frames, rectangles, args.seconds, threads == 1)
    numbers = {f'infer.{name}.ms_1thread': stages.network[1] + stages.around[1] for name, stages in timed[1].items()}
    numbers |= {f'{path.stem}.ms_1thread': numbers[f'infer.{path.stem}.ms_1thread'] for path in paths}
    numbers['shipped.mb'] = model_path(None).stat().st_size / 1e6
    aucs = {name: accuracy(FaceAligner(model, 'whole'), images, True).auc for name, model in loaded.items()}
    if ert is not None:
        numbers['infer.dlib_ert.ms_1thread'], aucs['dlib_ert'] = _measure_ert(ert, images, frames, args.seconds)
    if args.images is None:  # the figure of a part would stand in summary.json as that of the whole
        numbers |= {f'infer.{name}.auc08': auc for name, auc in aucs.items()}
    sizes = {name: model.path.stat().st_size / 1e6 for name, model in loaded.items()}
    if ert is not None:
        sizes['dlib_ert'] = ert.path.stat().st_size / 1e6
    console = Console(width=80)
    console.print(_model_table(timed, numbers, aucs, sizes))
    numbers |= _detectors(console, args, OnnxModel(paths[0], threads=1), ert, frames)
    if args.memory:
        numbers['cli.rss_growth_mb'] = _memory(paths[0], images)
        console.print(f'align: {numbers["cli.rss_growth_mb"]:.1f} MB more after {len(images)} images than after 100')
    if args.plot:
        _plot(args.plot, {name: numbers[f'infer.{name}.ms_1thread'] for name in aucs}, aucs)
        console.print(f'written: {args.plot}')
    return numbers


def _measure_ert(
    ert: DlibErt, images: list[AnnotatedImage], frames: list[np.ndarray], seconds: float
) -> tuple[float, float]:
    """Milliseconds a face, and AUC@0.08 on the boxes that the other models get."""
    rgb = [np.ascontiguousarray(frame[..., ::-1]) for frame in frames]
    boxes = [np.array([220.0, 140, 420, 340])] * len(frames)
    times = time_in_turns({'ert': lambda: [ert.align(image, box) for image, box in zip(rgb, boxes)]}, seconds)
    return times['ert'] / len(frames), measure(ert_on_landmarks(ert.path), images)['exact']


def _model_table(
    timed: dict[int | None, dict[str, Stages]],
    numbers: dict[str, float],
    aucs: dict[str, float],
    sizes: dict[str, float],
) -> Table:
    table = Table(title='ms a face: crop, network and mapping back; alone and in batches of 32')
    for column in ('model', 'MB', 'AUC@0.08', '1 thread', 'of 32', 'all', 'of 32', 'around'):
        table.add_column(column, justify='left' if column == 'model' else 'right')
    for name, auc in aucs.items():
        row = [name, f'{sizes[name]:.1f}', f'{auc:.4f}', f'{numbers[f"infer.{name}.ms_1thread"]:.2f}']
        if name in timed[1]:
            one, everything = timed[1][name], timed[None][name]
            row.append(f'{one.network[32] + one.around[32]:.2f}')
            row += [f'{everything.network[batch] + everything.around[batch]:.2f}' for batch in (1, 32)]
            row.append(f'{100 * one.around[1] / one.network[1]:.0f} %')
        table.add_row(*row)
    return table


def _detectors(
    console: Console, args: argparse.Namespace, model: OnnxModel, ert: DlibErt | None, frames: list[np.ndarray]
) -> dict[str, float]:
    """Time detectors alone and from frame to points; returns the figures."""
    yunet = yunet_file()
    specs = args.detector or ['dlib-hog', 'dlib-hog-retry', *([f'yunet:{yunet}'] if yunet else [])]
    detectors = {spec.partition(':')[0]: open_detector(spec)[1] for spec in specs}

    def job(name: str):  # type: ignore[no-untyped-def]
        return lambda: [detectors[name](frame) for frame in frames]

    alone = time_in_turns({name: job(name) for name in detectors}, args.seconds)
    whole = time_in_turns(end_to_end_jobs(model, specs, ert, frames), args.seconds)
    table = Table(title='ms an image of 640×480 with one face, 1 thread')
    for column in ('detector', 'alone', f'with {model.name}'):
        table.add_column(column, justify='left' if column == 'detector' else 'right')
    for name in detectors:
        table.add_row(name, f'{alone[name] / len(frames):.1f}', f'{whole[name] / len(frames):.1f}')
    if ert is not None:
        table.add_row("dlib's HOG + ERT", '', f'{whole["dlib"] / len(frames):.1f}')
    console.print(table)
    numbers = {f'detector.{name.replace("-", "_")}.ms_640x480': alone[name] / len(frames) for name in detectors}
    for name, key in (('yunet', 'yunet'), ('dlib-hog-retry', 'hog')):
        if ert is not None and name in whole:
            numbers[f'end_to_end.{key}_time_over_dlib'] = whole[name] / whole['dlib']
    return numbers


def _memory(model: Path, images: list[AnnotatedImage]) -> float:
    sources = find_sources(str(image.path) for image in images)
    with tempfile.TemporaryDirectory() as folder:
        return measure_memory(FaceAligner(model), sources, Options(out=Path(folder), save_images=True))


def _plot(path: Path, milliseconds: dict[str, float], aucs: dict[str, float]) -> None:
    try:
        import matplotlib
    except ImportError as error:
        raise FaceAlignError(
            '--plot: Matplotlib is not installed; pip install matplotlib, or leave out --plot'
        ) from error
    matplotlib.use('Agg')
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout='constrained')
    for name, value in aucs.items():
        axes.plot(milliseconds[name], value, 'o', markersize=8)
        axes.annotate(name, (milliseconds[name], value), xytext=(7, 5), textcoords='offset points')
    axes.set(xscale='log', xlabel='ms a face, 1 thread (log)', ylabel='AUC@0.08, by the landmark box')
    axes.grid(alpha=0.3, which='both')
    axes.margins(0.25)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150)
    plt.close(figure)
