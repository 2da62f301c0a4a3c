"""Tiny ONNX models whose answers can be computed by hand, made without torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

INPUT = 64  # crop pixels
FIXED = np.stack([np.linspace(8, 56, 68), np.linspace(56, 8, 68)], axis=1)  # what the model "fixed" always answers
METADATA = {
    'facealign.version': '0.1.0',
    'facealign.markup': 'ibug68',
    'facealign.input_size': f'[{INPUT}, {INPUT}]',
    'facealign.mean': '[0, 0, 0]',
    'facealign.std': '[255, 255, 255]',
    'facealign.color': 'rgb',
    'facealign.crop': json.dumps(dict(padding=1.25, udp=False)),
    'facealign.name': 'tiny',
}


@pytest.fixture(scope='session')
def make_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a model: ``fixed`` answers ``FIXED``, ``red`` the centroid of its first channel, for every point."""
    onnx = pytest.importorskip('onnx', reason='needs the package onnx to make models for the test')

    def make(kind: str = 'fixed', count: int = 68, drop: tuple[str, ...] = (), **metadata: str) -> Path:
        path = tmp_path_factory.mktemp('model') / f'{kind}.onnx'
        build = _fixed if kind == 'fixed' else _centroid
        model = build(onnx, count)
        entries = {**METADATA, **{f'facealign.{key}': value for key, value in metadata.items()}}
        kept = {key: value for key, value in entries.items() if key.removeprefix('facealign.') not in drop}
        onnx.helper.set_model_props(model, kept)
        onnx.checker.check_model(model)
        onnx.save(model, path)
        return path

    return make


def _fixed(onnx, count: int):  # type: ignore[no-untyped-def]
    points = np.resize(FIXED, (1, count, 2)).astype(np.float32)
    zero = [('ReduceSum', ['crops', 'all'], ['sum'], dict(keepdims=0)), ('Mul', ['sum', 'nought'], ['zero'], {})]
    nodes = [*zero, ('Reshape', ['zero', 'column'], ['zeros'], {}), ('Add', ['zeros', 'points'], ['keypoints'], {})]
    nodes += [('Reshape', ['zero', 'row'], ['rows'], {}), ('Add', ['rows', 'half'], ['scores'], {})]
    return _model(onnx, count, nodes, points=points, half=np.full((1, count), 0.5, np.float32))


def _centroid(onnx, count: int):  # type: ignore[no-untyped-def]
    y, x = np.mgrid[:INPUT, :INPUT].astype(np.float32)
    nodes = [
        ('Slice', ['crops', 'begin', 'end', 'channel'], ['first'], {}),
        ('Mul', ['first', 'grid'], ['weighted'], {}),
        ('ReduceSum', ['weighted', 'area'], ['moments'], dict(keepdims=0)),
        ('ReduceSum', ['first', 'area'], ['mass'], dict(keepdims=0)),
        ('Div', ['moments', 'mass'], ['centre'], {}),
        ('Reshape', ['centre', 'pair'], ['pairs'], {}),
        ('Add', ['pairs', 'points'], ['keypoints'], {}),
        ('Mul', ['mass', 'nought'], ['zero'], {}),
        ('Add', ['zero', 'half'], ['scores'], {}),
    ]
    return _model(
        onnx,
        count,
        nodes,
        grid=np.stack([x, y])[None],
        begin=np.array([0]),
        end=np.array([1]),
        channel=np.array([1]),
        area=np.array([2, 3]),
        pair=np.array([-1, 1, 2]),
        points=np.zeros((1, count, 2), np.float32),
        half=np.full((1, count), 0.5, np.float32),
    )


def _model(onnx, count: int, nodes: list, **constants: np.ndarray):  # type: ignore[no-untyped-def]
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    shared = dict(all=np.array([1, 2, 3]), nought=np.float32(0), column=np.array([-1, 1, 1]), row=np.array([-1, 1]))
    used = {name for _, inputs, _, _ in nodes for name in inputs}
    values = {name: value for name, value in {**shared, **constants}.items() if name in used}
    graph = helper.make_graph(
        [helper.make_node(op, inputs, outputs, **attributes) for op, inputs, outputs, attributes in nodes],
        'tiny',
        [helper.make_tensor_value_info('crops', kind, ['n', 3, INPUT, INPUT])],
        [
            helper.make_tensor_value_info('keypoints', kind, ['n', count, 2]),
            helper.make_tensor_value_info('scores', kind, ['n', count]),
        ],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
