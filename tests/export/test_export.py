"""Every kind of head, exported and run by onnxruntime, against MMPose's own head and codec."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('mmpose', reason='exporting needs torch and MMPose')
pytest.importorskip('onnx', reason='exporting needs the package onnx')

from facealign import __version__, compat  # noqa: E402

compat.apply()

import torch  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmpose.registry import MODELS  # noqa: E402

import facealign.plugin  # noqa: E402, F401
from facealign.errors import FaceAlignError  # noqa: E402
from facealign.export.check import Check, check_file, refuse, run_onnx, run_torch  # noqa: E402
from facealign.export.decode import find_decoder  # noqa: E402
from facealign.export.faces import CroppedFaces  # noqa: E402
from facealign.export.graph import LandmarkGraph  # noqa: E402
from facealign.export.load import annotation_file  # noqa: E402
from facealign.export.scores import fit_scores  # noqa: E402
from facealign.export.write import write_int8, write_onnx  # noqa: E402
from facealign.inference.crop import CropRule  # noqa: E402
from facealign.inference.model_file import ModelInfo, Normaliser, OnnxModel  # noqa: E402
from facealign.markup import IBUG68  # noqa: E402

SIZE = (96, 64)  # width, height: not alike, so that nothing can be swapped
MAPS = (24, 16)


def heatmap(**codec) -> dict:
    decoder = dict(input_size=SIZE, heatmap_size=MAPS, **codec)
    return dict(
        type='HeatmapHead', in_channels=32, out_channels=68, deconv_out_channels=(32, 32, 32),
        deconv_kernel_sizes=(4, 4, 4), decoder=decoder, loss=dict(type='KeypointMSELoss'),
    )  # fmt: skip


HEADS = {
    'regression': dict(
        type='FaceRegressionHead', in_channels=32, num_joints=68, loss=dict(type='L1Loss'),
        decoder=dict(type='FaceRegressionLabel', input_size=SIZE),
    ),
    'pixels': dict(
        type='FaceRegressionHead', in_channels=32, num_joints=68, loss=dict(type='L1Loss'),
        decoder=dict(type='FaceRegressionLabel', input_size=SIZE, unit='pixel'),
    ),
    'msra': heatmap(type='MSRAHeatmap', sigma=2),
    'dark': heatmap(type='MSRAHeatmap', sigma=2, unbiased=True),
    'udp': heatmap(type='UDPHeatmap', sigma=2),
    'subcell': heatmap(type='SubcellHeatmap', sigma=2),
    'patch': heatmap(type='PatchHeatmap'),
    'integral': dict(
        type='DSNTHead', in_channels=32, in_featuremap_size=(3, 2), num_joints=68, deconv_out_channels=(32, 32),
        deconv_kernel_sizes=(4, 4), loss=dict(type='SmoothL1Loss'),
        decoder=dict(type='IntegralRegressionLabel', input_size=SIZE, heatmap_size=(12, 8), sigma=2),
    ),
    'debiased': dict(
        type='DSNTHead', in_channels=32, in_featuremap_size=(3, 2), num_joints=68, deconv_out_channels=(32, 32),
        deconv_kernel_sizes=(4, 4), loss=dict(type='SmoothL1Loss'), debias=True, beta=1.0,
        decoder=dict(type='IntegralRegressionLabel', input_size=SIZE, heatmap_size=(12, 8), sigma=2),
    ),
    'expectation': dict(
        type='FaceIntegralHead', in_channels=32, in_featuremap_size=(3, 2), num_joints=70, points=(2, 70),
        loss=dict(type='L1Loss'), decoder=dict(type='FaceRegressionLabel', input_size=SIZE),
    ),
    'simcc': dict(
        type='RTMCCHead', in_channels=32, out_channels=68, input_size=SIZE, in_featuremap_size=(3, 2),
        simcc_split_ratio=2.0, final_layer_kernel_size=3,
        gau_cfg=dict(hidden_dims=32, s=16, expansion_factor=2, dropout_rate=0.0, drop_path=0.0, act_fn='SiLU',
                     use_rel_bias=False, pos_enc=False),
        loss=dict(type='KLDiscretLoss'), decoder=dict(type='SimCCLabel', input_size=SIZE, sigma=4.9),
    ),
}  # fmt: skip
UDP = {'udp', 'subcell'}
ARGMAX = set(HEADS) - {'regression', 'pixels', 'integral', 'debiased', 'expectation'}


@MODELS.register_module()
class TinyBackbone(torch.nn.Sequential):
    """[N, 3, H, W] → [N, 32, H / 32, W / 32]: enough layers of each kind to go wrong, and quick."""

    def __init__(self) -> None:
        super().__init__()
        for before, after in ((3, 16), (16, 16), (16, 32), (32, 32), (32, 32)):
            self.append(torch.nn.Conv2d(before, after, 3, stride=2, padding=1))
            self.append(torch.nn.BatchNorm2d(after))
            self.append(torch.nn.ReLU())

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        return (super().forward(x),)


def build(kind: str) -> tuple[torch.nn.Module, ModelInfo]:
    init_default_scope('mmpose')
    torch.manual_seed(0)
    head = HEADS[kind]
    neck = dict(type='GlobalAveragePooling') if 'FaceRegression' in head['type'] else None
    network = MODELS.build(
        dict(
            type='TopdownPoseEstimator',
            data_preprocessor=dict(
                type='PoseDataPreprocessor', mean=[120, 110, 100], std=[60, 59, 58], bgr_to_rgb=True
            ),
            backbone=dict(type='TinyBackbone'),
            neck=neck,
            head=head,
        )
    )
    with torch.no_grad():
        for parameter in network.head.parameters():  # heads start almost flat: give the maps peaks
            parameter.mul_(6 if kind in ('integral', 'debiased') else 20)
    info = ModelInfo(
        IBUG68, SIZE, (120, 110, 100), (60, 59, 58), 'rgb', CropRule(1.25, kind in UDP), __version__, name=kind
    )
    return network.eval(), info


def random_faces(count: int = 40) -> CroppedFaces:
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (count, SIZE[1], SIZE[0], 3), dtype=np.uint8)
    return CroppedFaces(crops, rng.uniform(0, 64, (count, 68, 2)), np.ones(count), np.full(count, 100.0))


@pytest.mark.parametrize('kind', sorted(set(HEADS) - {'dark', 'udp'}))
def test_every_head_agrees_with_mmpose(kind: str, tmp_path: Path) -> None:
    network, info = build(kind)
    graph = LandmarkGraph(network, info).eval()
    faces = random_faces()
    write_onnx(graph, info, tmp_path / 'model.onnx')
    model = OnnxModel(tmp_path / 'model.onnx', threads=1)
    assert model.info == info
    expected = run_torch(network, info, faces)
    assert np.ptp(expected, axis=(0, 1)).max() > 0.5, 'the network answers nothing worth comparing'
    check = check_file(model, expected, faces)
    refuse(check, 'fp32', kind in ARGMAX)
    assert check.mean_error < 0.02
    one = model(faces.crops[:1])[0]  # a batch of another size
    np.testing.assert_allclose(one[0], run_onnx(model, faces)[0][0], atol=0.05)


@pytest.mark.parametrize('kind', ['msra', 'dark', 'udp', 'subcell', 'patch'])
def test_decoding_of_gaussians_is_mmpose_s(kind: str, tmp_path: Path) -> None:
    """Noisy Gaussians anywhere on the map, an empty map among them; untrained networks give DARK no peak to expand."""
    import onnxruntime

    head = MODELS.build(dict(HEADS[kind]))
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: MAPS[1], : MAPS[0]]
    centres = rng.uniform(-0.5, np.array(MAPS) - 0.5, (60, 68, 2))
    squares = (x - centres[..., 0, None, None]) ** 2 + (y - centres[..., 1, None, None]) ** 2
    maps = (0.8 * np.exp(-squares / 8) + rng.normal(0, 0.01, squares.shape)).astype(np.float32)
    maps[0, 0] = -1

    class Decode(torch.nn.Module):
        def forward(self, heatmaps: torch.Tensor) -> torch.Tensor:
            head.forward = lambda feats: feats[-1]
            return find_decoder(head)(head, (heatmaps,))[0]

    file = str(tmp_path / 'decode.onnx')
    axes = dict(maps={0: 'n'}, points={0: 'n'})
    example = (torch.from_numpy(maps[:2]),)
    torch.onnx.export(
        Decode(), example, file, input_names=['maps'], output_names=['points'], dynamic_axes=axes, opset_version=17,
        dynamo=False,
    )  # fmt: skip
    [found] = onnxruntime.InferenceSession(file).run(None, {'maps': maps})
    expected = np.stack([head.decoder.decode(one)[0][0] for one in maps])
    apart = np.linalg.norm(found - expected, axis=2)
    assert (apart > 0.02).mean() <= 0.001, (apart.max(), (apart > 0.02).mean())


def test_fp16_and_int8(tmp_path: Path) -> None:
    network, info = build('regression')
    faces = random_faces()
    expected = run_torch(network, info, faces)
    graph = LandmarkGraph(network, info).eval()
    write_onnx(graph, info, tmp_path / 'fp32.onnx')
    write_int8(tmp_path / 'fp32.onnx', info, tmp_path / 'int8.onnx', Normaliser(info)(faces.crops))
    write_onnx(LandmarkGraph(network, info, half=True).eval(), info, tmp_path / 'fp16.onnx')
    sizes = {}
    for kind, limit in (('fp32', 0.01), ('fp16', 0.5), ('int8', 15)):
        model = OnnxModel(tmp_path / f'{kind}.onnx', threads=1)
        assert model.info == info
        assert check_file(model, expected, faces).mean_error < limit
        sizes[kind] = (tmp_path / f'{kind}.onnx').stat().st_size
    assert sizes['fp16'] < 0.75 * sizes['fp32'] and sizes['int8'] < sizes['fp32']


def test_fitted_scores_follow_the_errors() -> None:
    """A network whose doubt is the logarithm of its true error, plus a known offset a point."""
    network, info = build('msra')
    graph = LandmarkGraph(network, info).eval()
    rng = np.random.default_rng(1)
    sigma = rng.uniform(0.5, 4, (600, 68)) * np.linspace(1, 3, 68)
    truth = rng.uniform(0, 64, (600, 68, 2))
    predicted = truth + rng.normal(size=truth.shape) * sigma[..., None]
    state = iter(range(0, 600, 32))

    def predict(crops: torch.Tensor):
        start = next(state)
        part = slice(start, start + 32)
        doubt = np.log(sigma[part] / np.linspace(1, 3, 68)) / 0.7
        return tuple(torch.from_numpy(np.float32(a)) for a in (predicted[part], doubt, np.zeros((len(doubt), 4))))

    graph.predict = predict
    text = fit_scores(graph, np.zeros((600, 3, 8, 8), np.float32), truth)
    assert 'fitted on 600 faces' in text
    assert float(graph.slope) == pytest.approx(0.7, abs=0.05)
    np.testing.assert_allclose(np.exp(graph.offset), np.linspace(1, 3, 68), rtol=0.15)
    # A score is a probability: among points of like scores, that share lies within the limit.
    state = iter([0])
    graph.predict = lambda _: tuple(
        torch.from_numpy(np.float32(a))
        for a in (predicted, np.log(sigma / np.linspace(1, 3, 68)) / 0.7, np.zeros((600, 4)))
    )
    scores = graph(torch.zeros(600, 3, 8, 8))[1].numpy()
    right = np.linalg.norm(predicted - truth, axis=2) < graph.right_within
    for low in np.arange(0.2, 1, 0.2):
        like = (scores >= low) & (scores < low + 0.2)
        assert right[like].mean() == pytest.approx(scores[like].mean(), abs=0.04)


def test_a_wrong_file_is_refused() -> None:
    good = Check(share_off=0, mean_error=0, max_error=0.001, auc=0.7, torch_auc=0.7, rank_correlation=0.4)
    for kind in ('fp32', 'fp16', 'int8'):
        refuse(good, kind, argmax=False)
    off = Check(share_off=0.0005, mean_error=0.2, max_error=4, auc=0.68, torch_auc=0.7, rank_correlation=0.4)
    refuse(off, 'fp32', argmax=True)
    for kind in ('fp32', 'fp16', 'int8'):
        with pytest.raises(FaceAlignError, match='does not agree with PyTorch'):
            refuse(off, kind, argmax=False)


def test_a_head_that_cannot_be_exported() -> None:
    with pytest.raises(FaceAlignError, match='cannot be exported; those that can'):
        find_decoder(torch.nn.Linear(1, 1))


def test_faces_to_calibrate_on_are_of_the_models_markup(tmp_path: Path) -> None:
    parts = [dict(markup=markup, data_root=str(tmp_path), ann_file=f'{markup}.json') for markup in ('a', 'b')]
    (tmp_path / 'b.json').write_text('{}')
    config = Config(dict(train_dataloader=dict(dataset=dict(datasets=parts)), test_dataloader=dict(dataset=parts[1])))
    assert annotation_file(config, 'train_dataloader') == tmp_path / 'b.json'
    config.test_dataloader.dataset.markup = 'a'
    assert annotation_file(config, 'train_dataloader') is None
