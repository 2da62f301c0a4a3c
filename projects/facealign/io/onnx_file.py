"""ONNX files of strangers: what they declare, read and checked before any library builds a network of it.

onnxruntime and OpenCV reserve what a file asks for, follow its references to
other files, and OpenCV ends the process at some damaged ones. Only the field
numbers of ONNX's protobuf messages are needed to look first.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from facealign.utils.reading import MEBIBYTE, read_bytes, shown

_MAX_BYTES = 512 * MEBIBYTE
_MAX_FIELDS = 1_000_000  # of all messages together, so that a look takes seconds at most
_MAX_GRAPHS = 4  # within one another
_MAX_ELEMENTS = 2**24  # of a tensor that a node is told to make
_MAX_WINDOW = 4096  # of a convolution's or a pooling's attributes
_MAX_SCALE = 64  # of a resizing
_ITEM_BYTES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2}
_FLOAT, _INT64, _EXTERNAL = 1, 7, 1
# Nodes whose result is as large as an input or attribute says, whatever the sizes of the others.
_GROWING = {'ConstantOfShape', 'Expand', 'Tile', 'Pad', 'Resize', 'Upsample', 'Range', 'OneHot'}
_GROWING |= {'RandomNormal', 'RandomUniform', 'RandomNormalLike', 'RandomUniformLike', 'EyeLike'}
_LOOPS = {'Loop', 'Scan', 'SequenceMap'}  # which end when the file says so
_WINDOWS = {'pads', 'strides', 'dilations', 'kernel_shape', 'output_shape', 'output_padding', 'group'}
_DIMENSIONS = 16  # a shape has no more numbers

_Value = int | memoryview


@dataclass
class OnnxFile:
    """What an ONNX file declares.

    Attributes:
        data: its bytes.
        metadata: its own words about itself.
        operators: types of its nodes, those of inner graphs too.
    """

    data: bytes
    metadata: dict[str, str] = field(default_factory=dict)
    operators: set[str] = field(default_factory=set)


def read_onnx(path: str | os.PathLike[str]) -> OnnxFile:
    """An ONNX file, checked: all it needs is in it, and it asks for no more memory than a network of its size does.

    Raises:
        OSError: it cannot be read, is no regular file, or is too large.
        ValueError: not ONNX, damaged, or refused; the message says why.
    """
    data = read_bytes(path, _MAX_BYTES)
    file = OnnxFile(data)
    try:
        _Reader(file).model(memoryview(data))
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError('it is damaged') from error
    return file


class _Reader:
    """One walk through a file's messages."""

    def __init__(self, file: OnnxFile) -> None:
        self._file = file
        self._fields = 0
        self._small: dict[str, list[float]] = {}  # tensors that may be shapes or scales
        self._shaped: list[tuple[str, list[str]]] = []  # growing nodes, and their inputs

    def model(self, data: memoryview) -> None:
        graphs = 0
        for number, value in self._message(data):
            if number == 7:
                graphs += 1
                self._graph(_bytes(value), 1)
            elif number == 14:
                entry = {key: bytes(_bytes(text)).decode() for key, text in self._message(_bytes(value))}
                self._file.metadata[entry.get(1, '')] = entry.get(2, '')
            elif number == 25:
                self._function(_bytes(value))
        if graphs != 1 or not self._file.operators:
            raise ValueError('it holds no network')
        for operator, inputs in self._shaped:
            for name in inputs:
                _check_shape(self._small.get(name, []), operator)
                if any(isinstance(scale, float) and not scale <= _MAX_SCALE for scale in self._small.get(name, [])):
                    raise ValueError(f'its node {shown(operator)} enlarges too much')

    def _graph(self, data: memoryview, depth: int) -> None:
        if depth > _MAX_GRAPHS:
            raise ValueError('its graphs are nested too deeply')
        for number, value in self._message(data):
            if number == 1:
                self._node(_bytes(value), depth)
            elif number == 5:
                self._tensor(_bytes(value))
            elif number == 15:
                self._sparse(_bytes(value))

    def _function(self, data: memoryview) -> None:
        for number, value in self._message(data):
            if number == 7:
                self._node(_bytes(value), 1)

    def _node(self, data: memoryview, depth: int) -> None:
        inputs: list[str] = []
        outputs: list[str] = []
        attributes: list[memoryview] = []
        operator = ''
        for number, value in self._message(data):
            if number == 1:
                inputs.append(_text(value))
            elif number == 2:
                outputs.append(_text(value))
            elif number == 4:
                operator = _text(value)
            elif number == 5:
                attributes.append(_bytes(value))
        self._file.operators.add(operator)
        if operator in _LOOPS:
            raise ValueError(f'it has a node {shown(operator)}, which no network of this kind has')
        for attribute in attributes:
            self._attribute(attribute, operator, outputs, depth)
        if operator in _GROWING:
            self._shaped.append((operator, inputs))

    def _attribute(self, data: memoryview, operator: str, outputs: list[str], depth: int) -> None:
        name = ''
        numbers: list[int] = []
        for number, value in self._message(data):
            if number == 1:
                name = _text(value)
            elif number in (3, 8):
                numbers += _varints(value)
            elif number in (5, 10):
                small = self._tensor(_bytes(value))
                if operator == 'Constant' and outputs:
                    self._small[outputs[0]] = small
            elif number in (6, 11):
                self._graph(_bytes(value), depth + 1)
            elif number in (22, 23):
                self._sparse(_bytes(value))
        if operator == 'Constant' and name == 'value_ints' and outputs:
            self._small[outputs[0]] = [_signed(number) for number in numbers[:_DIMENSIONS]]
        if name in _WINDOWS and any(abs(_signed(number)) > _MAX_WINDOW for number in numbers):
            raise ValueError(f'its node {shown(operator)} has {shown(name)} of more than {_MAX_WINDOW}')
        if operator in _GROWING:
            _check_shape(numbers, operator)

    def _sparse(self, data: memoryview) -> None:
        dimensions: list[int] = []
        for number, value in self._message(data):
            if number in (1, 2):
                self._tensor(_bytes(value))
            elif number == 3:
                dimensions += _varints(value)
        _check_shape(dimensions, 'sparse tensor')

    def _tensor(self, data: memoryview) -> list[float]:
        """Check a tensor; its numbers, where it may be a shape or scales: [] otherwise."""
        dimensions: list[int] = []
        kind, name = 0, ''
        raw: memoryview | None = None
        numbers = memoryview(b'')
        for number, value in self._message(data):
            if number == 1:
                dimensions += [_signed(item) for item in _varints(value)]
            elif number == 2:
                kind = _integer(value)
            elif number == 7:
                numbers = _bytes(value) if isinstance(value, memoryview) else numbers
            elif number == 8:
                name = _text(value)
            elif number == 9:
                raw = _bytes(value)
            elif number == 13 or (number == 14 and _integer(value) == _EXTERNAL):
                raise ValueError('its weights are in another file, which is not read; export it as one file')
        if any(size < 0 for size in dimensions) or len(dimensions) > _DIMENSIONS:
            raise ValueError(f'its tensor {shown(name)} has no possible shape')
        count = math.prod(dimensions)
        if raw is not None and len(raw) and len(raw) != count * _ITEM_BYTES.get(kind, 0):
            raise ValueError(f'its tensor {shown(name)} is damaged: {len(raw)} bytes for {count} numbers')
        if count > len(data):
            raise ValueError(f'its tensor {shown(name)} claims more numbers than the file holds')
        small: list[float] = []
        if kind in (_INT64, _FLOAT) and count <= _DIMENSIONS:
            if raw:
                small = list(struct.unpack(f'<{count}{"q" if kind == _INT64 else "f"}', raw))
            elif kind == _INT64:
                small = [_signed(item) for item in _varints(numbers)]
            if name:
                self._small[name] = small
        return small

    def _message(self, data: memoryview) -> Iterator[tuple[int, _Value]]:
        """Field numbers and values of a protobuf message."""
        position, end = 0, len(data)
        while position < end:
            self._fields += 1
            if self._fields > _MAX_FIELDS:
                raise ValueError('it has too many parts')
            tag, position = _varint(data, position)
            number, wire = tag >> 3, tag & 7
            value: _Value
            if wire == 0:
                value, position = _varint(data, position)
            elif wire == 2:
                length, position = _varint(data, position)
                value = data[position : position + length]
                position += length
            elif wire in (1, 5):
                length = 8 if wire == 1 else 4
                value = data[position : position + length]
                position += length
            else:
                raise ValueError('it is damaged or no ONNX')
            if position > end or number == 0:
                raise ValueError('it is damaged, cut short or no ONNX')
            yield number, value


def _varint(data: memoryview | bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data) and shift < 70:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), position
        shift += 7
    raise ValueError('it is damaged, cut short or no ONNX')


def _varints(value: _Value | bytes) -> list[int]:
    """The numbers of a repeated field, packed or single; only as many as a shape has, and one more."""
    if isinstance(value, int):
        return [value]
    numbers: list[int] = []
    position = 0
    while position < len(value) and len(numbers) <= _DIMENSIONS:
        number, position = _varint(value, position)
        numbers.append(number)
    return numbers


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _integer(value: _Value) -> int:
    if not isinstance(value, int):
        raise ValueError('it is damaged')
    return value


def _bytes(value: _Value) -> memoryview:
    if isinstance(value, int):
        raise ValueError('it is damaged')
    return value


def _text(value: _Value) -> str:
    return bytes(_bytes(value)).decode()


def _check_shape(numbers: Sequence[float], operator: str) -> None:
    sizes = [abs(_signed(number)) for number in numbers if isinstance(number, int)]
    if math.prod(max(size, 1) for size in sizes) > _MAX_ELEMENTS:
        raise ValueError(f'its node {shown(operator)} asks for more than {_MAX_ELEMENTS} numbers')
