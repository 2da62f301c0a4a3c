"""Model files: what they say, and what is said where they are wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facealign.errors import FaceAlignError
from facealign.inference import model_file
from facealign.inference.model_file import ModelInfo, Normaliser, OnnxModel, model_path
from facealign.markup import DATATANG106
from facealign.markup_file import markup_from_dict
from facealign.structures.crop import CropRule


def test_metadata_survives_a_round_trip() -> None:
    info = ModelInfo(
        DATATANG106, (96, 128), (1.5, 2, 3), (4, 5, 6.25), 'bgr', CropRule(1.3, True), '0.1.0', 'probability', 'name'
    )
    assert ModelInfo.from_metadata(info.to_metadata()) == info


def test_a_markup_of_ones_own_is_carried_whole() -> None:
    value = dict(name='carried3', names=['left', 'right', 'chin'], mirror=[[0, 1]], outlines=[[0, 2, 1]])
    info = ModelInfo(markup_from_dict(value), (96, 96), (0, 0, 0), (1, 1, 1), 'rgb', CropRule(1.3, True), '0.1.0')
    again = ModelInfo.from_metadata(info.to_metadata())
    assert again == info and again.markup.flip_pairs == ((0, 1),)
    with pytest.raises(ValueError, match='markup_definition of .carried3'):
        ModelInfo.from_metadata({**info.to_metadata(), 'facealign.markup': 'other'})
    with pytest.raises(ValueError, match='"num_points" must be'):
        ModelInfo.from_metadata({**info.to_metadata(), 'facealign.markup_definition': '{"name": "x"}'})


def test_normalising_is_the_formula(make_model) -> None:
    info = OnnxModel(make_model(mean='[10, 20, 30]', std='[2, 4, 8]', color='rgb')).info
    crops = np.random.default_rng(0).integers(0, 256, (3, 5, 4, 3), dtype=np.uint8)
    rgb = crops[..., ::-1].astype(float)
    np.testing.assert_allclose(
        Normaliser(info)(crops), ((rgb - [10, 20, 30]) / [2, 4, 8]).transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-5
    )


def test_points_and_scores_of_a_batch(make_model) -> None:
    points, scores = OnnxModel(make_model(), threads=1)(np.zeros((3, 64, 64, 3), np.uint8))
    assert points.shape == (3, 68, 2) and scores.shape == (3, 68)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(drop=('version', 'markup', 'input_size', 'mean', 'std', 'color', 'crop')), 'no facealign metadata'),
        (dict(drop=('mean', 'crop')), 'lacks mean, crop'),
        (dict(markup='wflw98'), 'no markup "wflw98"'),
        (dict(markup='datatang106'), 'gives 68 points, but its markup datatang106 has 106'),
        (dict(input_size='[64]'), 'input_size'),
        (dict(input_size='[0, 64]'), 'input_size'),
        (dict(mean='[1, 2, NaN]'), 'mean'),
        (dict(std='[1, 0, 1]'), 'std has a zero'),
        (dict(color='grey'), 'not rgb or bgr'),
        (dict(crop='{"padding": 0}'), 'crop'),
        (dict(crop='[]'), 'crop'),
    ],
)
def test_a_file_that_says_something_wrong(make_model, change, message) -> None:
    path = make_model(**change)
    with pytest.raises(FaceAlignError, match=message) as caught:
        OnnxModel(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / 'text.onnx'
    path.write_text('no model')
    with pytest.raises(FaceAlignError, match='not an ONNX model'):
        OnnxModel(path)
    with pytest.raises(FaceAlignError, match='no such model file'):
        model_path(tmp_path / 'missing.onnx')
    with pytest.raises(FaceAlignError, match='not one of cpu, cuda'):
        OnnxModel(path, device='tpu')


class CpuSession:
    """As onnxruntime gives it where the libraries of CUDA do not load: without a word, on the CPU."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def get_providers(self) -> list[str]:
        return ['CPUExecutionProvider']


def failing_session(*_: object, providers: list[str], **__: object) -> CpuSession:
    if providers[0] != 'CPUExecutionProvider':
        raise RuntimeError('libcublasLt.so.12: cannot open shared object file')
    return CpuSession()


@pytest.mark.parametrize('session', [CpuSession, failing_session])
def test_a_gpu_that_does_not_work_is_said_and_not_replaced(make_model, monkeypatch, session) -> None:
    monkeypatch.setattr(model_file.ort, 'get_available_providers', lambda: ['CUDAExecutionProvider'])
    monkeypatch.setattr(model_file.ort, 'InferenceSession', session)
    with pytest.raises(FaceAlignError, match='device cuda: onnxruntime .* cannot load .*or take cpu') as caught:
        OnnxModel(make_model(), device='cuda')
    assert '\n' not in str(caught.value)


def test_models_by_name(make_model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, 'SHIPPED', tmp_path)
    with pytest.raises(FaceAlignError, match='models by name: none'):
        model_path()
    file = tmp_path / f'{model_file.DEFAULT_MODEL}.onnx'
    file.write_bytes(make_model().read_bytes())
    assert model_path() == model_path(model_file.DEFAULT_MODEL) == file
    with pytest.raises(FaceAlignError, match=f'models by name: {model_file.DEFAULT_MODEL}'):
        model_path('face86')
