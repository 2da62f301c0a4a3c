"""What ONNX files declare, against the package onnx; and files that ask for too much."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facealign.detection.net_detectors import YuNet
from facealign.errors import FaceAlignError
from facealign.inference.model_file import SHIPPED, OnnxModel
from facealign.io.onnx_file import read_onnx

onnx = pytest.importorskip('onnx')


@pytest.mark.parametrize('name', ['lite68', 'base106'])
def test_shipped_models_are_read_as_onnx_reads_them(name: str) -> None:
    file, model = read_onnx(SHIPPED / f'{name}.onnx'), onnx.load(SHIPPED / f'{name}.onnx')
    assert file.metadata == {entry.key: entry.value for entry in model.metadata_props}
    assert file.operators == {node.op_type for node in model.graph.node}


def _save(path: Path, change: Callable[[Any], None], make_model: Callable[..., Path]) -> Path:
    model = onnx.load(make_model())
    change(model)
    path.write_bytes(model.SerializeToString())
    return path


def _external(model: Any) -> None:
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == 'points')
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key='location', value='/etc/passwd')
    tensor.ClearField('raw_data')


def _dimensions(*sizes: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        tensor = next(tensor for tensor in model.graph.initializer if tensor.name == 'points')
        tensor.dims[:] = sizes

    return change


def _node(operator: str, constant: Any = (1,), kind: str = 'int64', **attributes: Any) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(constant, kind), 'shape'))
        model.graph.node.append(onnx.helper.make_node(operator, ['shape'], ['out'], **attributes))

    return change


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        (_external, 'weights are in another file'),
        (_dimensions(1, 68, 3), 'is damaged'),
        (_dimensions(-1, -68, 2), 'no possible shape'),
        (_dimensions(2**40), 'is damaged'),
        (_node('ConstantOfShape', [2**20, 2**20]), 'asks for more than'),
        (_node('Expand', [1, 2**30]), 'asks for more than'),
        (_node('Resize', [1e6], 'float32'), 'enlarges too much'),
        (_node('Resize', [float('nan')], 'float32'), 'enlarges too much'),
        (_node('Conv', pads=[0, 0, 0, 10**9]), 'pads'),
        (_node('RandomNormal', shape=[2**16, 2**16]), 'asks for more than'),
        (_node('Loop'), 'which no network of this kind has'),
        (lambda model: model.ClearField('graph'), 'holds no network'),
    ],
)
def test_what_asks_for_too_much_is_refused(tmp_path: Path, make_model: Any, change: Any, reason: str) -> None:
    path = _save(tmp_path / 'a.onnx', change, make_model)
    with pytest.raises(ValueError, match=reason):
        read_onnx(path)
    with pytest.raises(FaceAlignError, match=f'a.onnx: not an ONNX model that can be loaded .*{reason}') as caught:
        OnnxModel(path)
    assert str(caught.value).isprintable()
    with pytest.raises(FaceAlignError, match='a.onnx: not a YuNet ONNX file'):
        YuNet(path)


def test_a_model_that_does_not_do_what_it_says_is_one_line(make_model: Any) -> None:
    with pytest.raises(FaceAlignError, match=r'not crops of 64 x 32 as it says'):
        OnnxModel(make_model(input_size='[32, 64]'))
    with pytest.raises(FaceAlignError, match='name is .* which is no name'):
        OnnxModel(make_model(name='\x1b[31m'))
    with pytest.raises(FaceAlignError, match='input_size'):
        OnnxModel(make_model(input_size='[4096, 4096]'))
    with pytest.raises(FaceAlignError, match='std'):
        OnnxModel(make_model(std='[1e-300, 1, 1]'))


@settings(max_examples=300)
@given(st.data())
def test_any_damage_is_loaded_or_named(make_model: Any, tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    whole = bytearray(make_model().read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / 'damaged.onnx'
    path.write_bytes(
        whole[: data.draw(st.integers(len(whole) // 2, len(whole)))] if data.draw(st.booleans()) else whole
    )
    try:
        points, scores = OnnxModel(path, threads=1)(np.zeros((2, 64, 64, 3), np.uint8))
    except FaceAlignError as error:
        assert str(error).isprintable()
    else:
        assert points.shape[1:] == (68, 2) and scores.shape[1:] == (68,)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / 'bytes.onnx'
    path.write_bytes(data)
    with pytest.raises(ValueError):
        read_onnx(path)
