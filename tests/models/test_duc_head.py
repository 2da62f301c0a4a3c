"""DUCHead: its layers by hand, and MMPose's loss and decoding on it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample
from torch.nn import functional as F

import facealign.plugin  # noqa: F401
from facealign.models.duc_head import DUCHead

SIZE, CELLS, POINTS = 64, 16, 106


def test_parameters() -> None:
    head = DUCHead(2048, 106)
    assert [sum(p.numel() for p in part.parameters()) for part in (*head.deconv_layers, head.final_layer)] == [
        0,
        4_720_640,
        1_180_672,
        122_218,
    ]


@torch.no_grad()
def test_layers_by_hand() -> None:
    torch.manual_seed(0)
    head = DUCHead(64, 5).eval()
    x = torch.randn(2, 64, 3, 4)
    out = x.reshape(2, 16, 2, 2, 3, 4).permute(0, 1, 4, 2, 5, 3).reshape(2, 16, 6, 8)  # PixelShuffle
    for duc in head.deconv_layers[1:]:
        out = F.conv2d(out, duc.conv.weight, padding=1) / (1 + 1e-5) ** 0.5  # fresh statistics: 0 and 1
        b, c, h, w = out.shape
        out = out.relu().reshape(b, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(b, c // 4, 2 * h, 2 * w)
    out = F.conv2d(out, head.final_layer.weight, head.final_layer.bias, padding=1)
    assert out.shape == (2, 5, 24, 32)
    torch.testing.assert_close(head((x,)), out)


def twin(codec: dict, **head: dict) -> torch.nn.Module:
    """The network at an eighth of its width."""
    init_default_scope('mmpose')
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='TopdownPoseEstimator',
            data_preprocessor=dict(type='PoseDataPreprocessor', mean=[103.53, 116.535, 122.4], std=[255] * 3),
            backbone=dict(type='FirstBlockSEResNet', depth=50, base_channels=8, stem_channels=8),
            head=dict(type='DUCHead', in_channels=256, out_channels=POINTS, decoder=codec, **head),
            train_cfg=dict(compute_acc=False),
        )
    )


def samples(codec: dict, count: int = 4) -> dict:
    """A batch of noise with random points, of which some are missing or unseen."""
    rng = np.random.default_rng(0)
    encoder = KEYPOINT_CODECS.build(codec)
    data_samples = []
    for _ in range(count):
        visible = rng.choice([0, 0.5, 1], (1, POINTS)).astype(np.float32)
        encoded = encoder.encode(rng.uniform(0, SIZE - 1, (1, POINTS, 2)).astype(np.float32), visible)
        sample = PoseDataSample()
        sample.gt_fields = PixelData(heatmaps=torch.from_numpy(encoded['heatmaps']))
        sample.gt_instance_labels = InstanceData(keypoint_weights=torch.from_numpy(encoded['keypoint_weights']))
        data_samples.append(sample)
    images = torch.from_numpy(rng.integers(0, 256, (count, 3, SIZE, SIZE), dtype=np.uint8))
    return dict(inputs=list(images), data_samples=data_samples)


@pytest.mark.parametrize('codec_type', ['PatchHeatmap', 'SubcellHeatmap'])
def test_one_step_matches_a_loss_by_hand(codec_type: str) -> None:
    codec = dict(type=codec_type, input_size=(SIZE, SIZE), heatmap_size=(CELLS, CELLS))
    model, batch = twin(codec), samples(codec)
    before = [parameter.detach().clone() for parameter in model.parameters()]

    images = torch.stack(batch['inputs']).float()
    images = (images - torch.tensor([103.53, 116.535, 122.4])[:, None, None]) / 255
    heatmaps = model.head(model.backbone(images))
    targets = torch.stack([sample.gt_fields.heatmaps for sample in batch['data_samples']])
    weights = torch.cat([sample.gt_instance_labels.keypoint_weights for sample in batch['data_samples']])
    total = 0.0
    for face in range(4):
        for point in range(POINTS):
            error = (heatmaps[face, point] - targets[face, point]).square().sum()
            total = total + error * weights[face, point]
    expected = total / (4 * POINTS * CELLS * CELLS)
    gradients = torch.autograd.grad(expected, list(model.parameters()))

    model.backbone.apply(lambda m: m.reset_running_stats() if hasattr(m, 'reset_running_stats') else None)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    log = model.train_step(batch, OptimWrapper(optimizer))
    assert log['loss_kpt'].item() == pytest.approx(expected.item(), rel=1e-5)
    for parameter, old, gradient in zip(model.parameters(), before, gradients):
        torch.testing.assert_close(parameter.detach(), old - 0.5 * gradient, rtol=1e-4, atol=1e-6)
    assert (weights == 1).all() == (codec_type == 'PatchHeatmap')
