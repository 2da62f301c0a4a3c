"""What ``tools/export_onnx.py`` does: load, fit the scores, write, compare with PyTorch, report."""

from __future__ import annotations

import argparse
import copy
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from facealign.errors import FaceAlignError
from facealign.evaluation.summary_file import update_summary
from facealign.export.check import Check, check_file, refuse, run_torch
from facealign.export.faces import CroppedFaces, crop_faces
from facealign.export.graph import LandmarkGraph
from facealign.export.load import annotation_file, load_network, model_info
from facealign.export.scores import fit_scores
from facealign.export.write import write_int8, write_onnx
from facealign.inference.model_file import ModelInfo, Normaliser, OnnxModel
from facealign.io.coco_images import read_annotated
from facealign.metrics.calibration import max_gap
from facealign.utils.config_file import read_config
from facealign.utils.files import atomic_write_bytes, ensure_writable

_CALIBRATION_FACES = 256
_ARGMAX_HEADS = ('HeatmapHead', 'SimCCHead', 'RTMCCHead')


def export(args: argparse.Namespace) -> None:
    """Write the files; each gets its name only when it has passed its check.

    Raises:
        FaceAlignError: anything the user can put right, or a file that does not agree with PyTorch.
    """
    config = read_config(args.config, 'model')
    info = model_info(config, args.name or args.out.stem, args.markup)
    network = load_network(config, args.checkpoint)
    ensure_writable(args.out.resolve().parent)
    graph = LandmarkGraph(network, info).eval()
    faces = _faces(args.data, config, ('test_dataloader', 'val_dataloader'), '--data', info, args.faces)
    fit_on = _faces(args.fit, config, ('val_dataloader', 'train_dataloader'), '--fit', info, None)
    normalise = Normaliser(info)
    unseen = None
    if args.fit_checkpoint is not None:
        unseen = LandmarkGraph(load_network(config, args.fit_checkpoint), info).eval()
    info = dataclasses.replace(info, scores=fit_scores(graph, normalise(fit_on.crops), fit_on.points, unseen))
    argmax = any(kind.__name__ in _ARGMAX_HEADS for kind in type(network.head).__mro__)
    expected = run_torch(network, info, faces)
    rows: list[tuple[str, Path, Check]] = []
    with tempfile.TemporaryDirectory() as folder:
        written = {'fp32': Path(folder) / 'fp32.onnx'}
        write_onnx(graph, info, written['fp32'])
        if args.fp16:
            written['fp16'] = Path(folder) / 'fp16.onnx'
            write_onnx(_halved(graph, info), _named(info, 'fp16'), written['fp16'])
        if args.int8:
            written['int8'] = Path(folder) / 'int8.onnx'
            training = _faces(args.calibrate, config, ('train_dataloader',), '--calibrate', info, _CALIBRATION_FACES)
            write_int8(written['fp32'], _named(info, 'int8'), written['int8'], normalise(training.crops))
        for kind, file in written.items():
            check = check_file(OnnxModel(file), expected, faces)
            refuse(check, kind, argmax)
            rows.append((kind, file, check))
        sizes = {kind: file.stat().st_size for kind, file, _ in rows}
        for kind, file, _ in rows:
            atomic_write_bytes(_name(args.out, kind), file.read_bytes())
    gflops = _gflops(graph, info)
    _report(args.out, rows, sizes, gflops, len(faces.crops))
    if args.summary is not None:
        shipped = sizes.get('fp16', sizes['fp32'])  # an int8 file is the user's choice
        numbers = {f'{info.name}.gmac': gflops / 2, f'{info.name}.mb': shipped / 1e6}
        numbers |= {f'export.{kind}_max_error_px': check.max_error for kind, _, check in rows}
        gap = max_gap(list(rows[1 if args.fp16 else 0][2].scores))
        if np.isfinite(gap):
            numbers[f'{info.name}.scores.max_gap'] = gap
        numbers |= {f'{info.name}.{kind}.auc08': check.auc for kind, _, check in rows if kind == 'int8'}
        update_summary(args.summary, numbers)


def _named(info: ModelInfo, kind: str) -> ModelInfo:
    return dataclasses.replace(info, name=f'{info.name}_{kind}')


def _halved(graph: LandmarkGraph, info: ModelInfo) -> LandmarkGraph:
    half = LandmarkGraph(copy.deepcopy(graph.network), info, half=True).eval()
    for name in ('offset', 'slope', 'context', 'weights'):
        setattr(half, name, getattr(graph, name))
    return half


def _faces(
    given: Path | None, config: Any, loaders: tuple[str, ...], option: str, info: ModelInfo, limit: int | None
) -> CroppedFaces:
    files = [given] if given is not None else [annotation_file(config, loader) for loader in loaders]
    file = next((file for file in files if file is not None), None)
    if file is None:
        raise FaceAlignError(f'{option}: the data of the config is not there; convert it, or name a JSON file of faces')
    markup, images = read_annotated(file, limit)
    if markup.name != info.markup.name:
        raise FaceAlignError(
            f'{file}: its points are {markup.name}, those of the model {info.markup.name}; give {option} another file'
        )
    return crop_faces(images, info)


def _gflops(graph: LandmarkGraph, info: ModelInfo) -> float:
    """Billions of multiplications and additions, each counted, of one face."""
    from torch.utils.flop_counter import FlopCounterMode

    width, height = info.input_size
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        graph(torch.zeros(1, 3, height, width))
    return counter.get_total_flops() / 1e9


def _name(out: Path, kind: str) -> Path:
    return out if kind == 'fp32' else out.with_name(f'{out.stem}_{kind}{out.suffix}')


def _report(out: Path, rows: list[tuple[str, Path, Check]], sizes: dict[str, int], gflops: float, count: int) -> None:
    table = Table(title=f'{gflops:.2f} GFLOP a face; checked on {count} faces')
    for column in ('file', 'MB', 'AUC@0.08', 'PyTorch', 'px off, mean', 'most', 'score'):
        table.add_column(column, justify='left' if column == 'file' else 'right')
    for kind, _, check in rows:
        table.add_row(
            _name(out, kind).name,
            f'{sizes[kind] / 1e6:.1f}',
            f'{check.auc:.4f}',
            f'{check.torch_auc:.4f}',
            f'{check.mean_error:.4f}',
            f'{check.max_error:.3f}',
            f'{check.rank_correlation:.2f}',
        )
    console = Console(width=80)
    console.print(table)
    console.print('px off: from PyTorch, in crop pixels. score: rank correlation with the error (sign turned).')
    kind, _, check = rows[-1] if len(rows) < 2 else rows[1]
    scores = Table(title=f'scores of {_name(out, kind).name}')
    for column in ('score', 'points', 'said', 'true'):
        scores.add_column(column, justify='right')
    for part in check.scores:
        scores.add_row(f'{part.low:.1f}–{part.low + 0.1:.1f}', str(part.points), f'{part.said:.3f}', f'{part.true:.3f}')
    console.print(scores)
