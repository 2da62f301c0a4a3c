"""The ONNX file: written from the graph, given its metadata, and made smaller."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch

from facealign.errors import FaceAlignError
from facealign.export.graph import LandmarkGraph
from facealign.inference.model_file import ModelInfo
from facealign.utils.files import atomic_path

_OPSET = 17


def write_onnx(graph: LandmarkGraph, info: ModelInfo, path: Path) -> None:
    """Write ``graph`` with a batch of any size and its metadata to ``path``, whole or not at all.

    Raises:
        FaceAlignError: PyTorch cannot express the network in ONNX, or the file cannot be written.
    """
    width, height = info.input_size
    # Not one: a batch of one lets the exporter take its size for a constant.
    example = torch.zeros(2, 3, height, width)
    with atomic_path(path) as temporary:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')  # of tracing; the check afterwards is stricter than they are
                torch.onnx.export(
                    graph,
                    (example,),
                    str(temporary),
                    input_names=['crops'],
                    output_names=['keypoints', 'scores'],
                    dynamic_axes={name: {0: 'faces'} for name in ('crops', 'keypoints', 'scores')},
                    opset_version=_OPSET,
                    dynamo=False,  # its successor needs onnxscript besides
                )
        except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
            first = str(error).strip().splitlines()[0]
            raise FaceAlignError(f'{path}: the network cannot be written as ONNX ({first})') from error
        _add_metadata(temporary, info)


def _add_metadata(path: Path, info: ModelInfo) -> None:
    model = onnx.load(path)
    onnx.helper.set_model_props(model, info.to_metadata())
    onnx.checker.check_model(model)
    onnx.save(model, path)


def write_int8(source: Path, info: ModelInfo, path: Path, tensors: np.ndarray) -> None:
    """Write the 8-bit form of ``source`` to ``path``: convolutions and matrices only, calibrated on faces.

    Args:
        source: the fp32 file.
        info: of the new one.
        path: of the new one.
        tensors: [N, 3, H, W] normalised crops of training faces.

    Raises:
        FaceAlignError: onnxruntime cannot do it, or the file cannot be written.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Faces(CalibrationDataReader):
        def __init__(self) -> None:
            self._batches: Iterator[np.ndarray] = iter(np.array_split(tensors, max(1, len(tensors) // 16)))

        def get_next(self) -> dict[str, np.ndarray] | None:
            batch = next(self._batches, None)
            return None if batch is None else {'crops': batch}

    with tempfile.TemporaryDirectory() as folder, atomic_path(path) as temporary:
        prepared = Path(folder) / 'prepared.onnx'
        try:
            quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
            quantize_static(
                str(prepared),
                str(temporary),
                Faces(),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=['Conv', 'Gemm', 'MatMul'],
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
        except (RuntimeError, ValueError) as error:
            raise FaceAlignError(f'{source}: cannot be made 8-bit ({error})') from error
        _add_metadata(temporary, info)
