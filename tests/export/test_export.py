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
from facealign.inference.model_file import ModelInfo, Normaliser, OnnxModel  # noqa: E402
from facealign.markup import IBUG68  # noqa: E402
from facealign.metrics.calibration import max_gap, reliability  # noqa: E402
from facealign.structures.crop import CropRule  # noqa: E402

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
        annotation_offset=0.02, loss=dict(type='L1Loss'), decoder=dict(type='FaceRegressionLabel', input_size=SIZE),
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


OFFSETS = np.linspace(4, 6, 68)


def _simulated(doubt: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Truth and predictions [N, 68, 2] of which as many are right as a logistic formula of ``doubt`` says."""
    rng = np.random.default_rng(seed)
    chance = 1 / (1 + np.exp(-(OFFSETS - 2 * doubt - doubt.mean(axis=1, keepdims=True))))
    truth = rng.uniform(0, 64, (*doubt.shape, 2))
    apart = np.where(rng.uniform(size=doubt.shape) < chance, 0.5, 30)
    return truth, truth + np.stack([apart, 0 * apart], axis=2)


def _pretending(predicted: np.ndarray, doubt: np.ndarray | None, features: np.ndarray) -> LandmarkGraph:
    """A graph whose network gives these for crops [N, 1] that hold the faces' numbers."""
    graph = LandmarkGraph(*build('msra')).eval()

    def predict(crops: torch.Tensor):
        which = crops[:, 0].long().numpy()
        points, means = (torch.from_numpy(np.float32(array[which])) for array in (predicted, features))
        return points, None if doubt is None else torch.from_numpy(np.float32(doubt[which])), means

    graph.predict = predict
    return graph


def _faces_of_all_kinds(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(1.5, 0.6, (count, 1)) + rng.normal(0, 0.7, (count, 68))


def _numbers(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.float32)[:, None]


def test_scores_are_the_probabilities_of_a_known_formula() -> None:
    doubt = _faces_of_all_kinds(600, 1)
    truth, predicted = _simulated(doubt, 2)
    graph = _pretending(predicted, doubt, np.zeros((600, 4)))
    assert 'fitted on 600 faces' in fit_scores(graph, _numbers(600), truth)
    assert graph.slope.numpy() == pytest.approx(-2, abs=0.15)
    assert float(graph.context.sum()) == pytest.approx(-1, abs=0.2)
    np.testing.assert_allclose(graph.offset, OFFSETS, atol=0.7)
    # On other faces too a score is the share that is right.
    new = _faces_of_all_kinds(3000, 3)
    truth, predicted = _simulated(new, 4)
    graph.predict = _pretending(predicted, new, np.zeros((3000, 4))).predict
    scores = graph(torch.from_numpy(_numbers(3000)))[1].numpy()
    bins = reliability(scores, np.linalg.norm(predicted - truth, axis=2) < graph.right_within)
    assert len(bins) == 10
    assert max_gap(bins) < 0.04


def test_scores_of_weights_that_have_seen_the_faces_come_from_earlier_ones() -> None:
    """The weights to export hardly err on these faces and count their doubt otherwise, point by point."""
    rng = np.random.default_rng(5)
    doubt = _faces_of_all_kinds(600, 6)
    truth, predicted = _simulated(doubt, 7)
    stretch, shift = rng.uniform(0.8, 1.3, 68), rng.normal(0, 0.5, 68)
    earlier = _pretending(predicted, doubt, np.zeros((600, 4)))
    later = _pretending(truth, (doubt - shift) / stretch, np.zeros((600, 4)))
    assert 'by earlier weights' in fit_scores(later, _numbers(600), truth, earlier)
    fit_scores(earlier, _numbers(600), truth)
    numbers = torch.from_numpy(_numbers(600))
    np.testing.assert_allclose(later(numbers)[1], earlier(numbers)[1], atol=1e-4)


@pytest.mark.parametrize('carried', [False, True])
def test_a_head_without_doubt_takes_it_from_the_features(carried: bool) -> None:
    rng = np.random.default_rng(8)
    hard = rng.normal(size=(1000, 1))
    truth = rng.uniform(0, 64, (1000, 68, 2))
    predicted = truth + 3 * np.exp(hard)[..., None] * rng.normal(size=truth.shape)
    features = np.concatenate([hard + rng.normal(0, 0.1, hard.shape), rng.normal(size=(1000, 7))], axis=1)
    half = slice(0, 500)
    graph = _pretending(predicted, None, features)
    other = _pretending(predicted, None, 2 * features[:, ::-1] + 1) if carried else None
    fit_scores(graph, _numbers(500), truth[half], other)
    scores = graph(torch.from_numpy(_numbers(1000)))[1].numpy()[500:]
    right = np.linalg.norm(predicted - truth, axis=2)[500:] < graph.right_within
    assert np.corrcoef(scores.mean(axis=1), right.mean(axis=1))[0, 1] > 0.9
    assert max_gap(reliability(scores, right), 2000) < 0.12  # the spread over faces is no straight line in logits


def test_all_right_or_few_faces_give_finite_scores() -> None:
    truth = np.random.default_rng(9).uniform(0, 64, (3, 68, 2))
    truth[0, 5] = np.nan
    graph = _pretending(np.nan_to_num(truth), _faces_of_all_kinds(3, 9), np.zeros((3, 4)))
    fit_scores(graph, _numbers(3), truth)
    scores = graph(torch.from_numpy(_numbers(3)))[1]
    assert torch.isfinite(scores).all() and (scores[:, :5] > 0.9).all()


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
