"""The reference's networks: their size, and the regression head around them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

import facealign.plugin  # noqa: F401
from facealign.markup import IBUG68
from facealign.models import FaceRegressionHead, ONet, YinNet


def _head(in_channels: int, size: int = 128, unit: str = 'crop', points: int = 68) -> FaceRegressionHead:
    return FaceRegressionHead(
        in_channels,
        points,
        loss=dict(type='L1Loss', use_target_weight=True),
        decoder=dict(type='FaceRegressionLabel', input_size=(size, size), unit=unit),
    )


@pytest.mark.parametrize(('backbone', 'size', 'parameters'), [(YinNet, 128, 7_344_456), (ONet, 48, 419_336)])
def test_parameters_are_the_publications(backbone: type, size: int, parameters: int) -> None:
    network, head = backbone(), _head(backbone.out_channels, size)
    assert sum(p.numel() for part in (network, head) for p in part.parameters()) == parameters
    features = network.eval()(torch.zeros(2, 3, size, size))
    assert features[0].shape == (2, backbone.out_channels, 1, 1)
    assert head(features).shape == (2, 68, 2)


def test_any_number_of_points() -> None:
    assert _head(256, points=106)((torch.zeros(3, 256, 1, 1),)).shape == (3, 106, 2)


def test_loss_is_the_mean_over_annotated_points() -> None:
    head = _head(4, points=2)
    torch.nn.init.zeros_(head.fc.weight)
    torch.nn.init.constant_(head.fc.bias, 0.5)
    labels = SimpleNamespace(
        keypoint_labels=torch.tensor([[[0.25, 0.5], [9.0, 9.0]]]), keypoint_weights=torch.tensor([[1.0, 0.0]])
    )
    loss = head.loss((torch.zeros(1, 4, 1, 1),), [SimpleNamespace(gt_instance_labels=labels)])
    assert loss['loss_kpt'].item() == pytest.approx(0.25 / 4)  # one of four coordinates is off by 0.25


def test_loss_sees_points_finer_than_bfloat16_in_mixed_precision() -> None:
    head = _head(4, unit='pixel', points=1)
    torch.nn.init.zeros_(head.fc.weight)
    torch.nn.init.constant_(head.fc.bias, 100.2)
    labels = SimpleNamespace(keypoint_labels=torch.full((1, 1, 2), 100.2), keypoint_weights=torch.ones(1, 1))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = head.loss((torch.zeros(1, 4, 1, 1),), [SimpleNamespace(gt_instance_labels=labels)])
    assert loss['loss_kpt'].item() == 0  # bfloat16 has 100 and 100.5


@pytest.mark.parametrize('unit', ['crop', 'pixel'])
def test_flip_test_of_a_mirrored_answer_gives_the_answer(unit: str) -> None:
    """If the network answers the mirrored image with the mirrored points, the average is the plain answer."""
    size = 64
    head = _head(136, size, unit)
    with torch.no_grad():
        head.fc.weight.copy_(torch.eye(136))
        head.fc.bias.zero_()
    points = torch.rand(1, 68, 2) * size
    mirrored = points[:, list(IBUG68.flip_indices)].clone()
    mirrored[..., 0] = size - 1 - mirrored[..., 0]
    scale = size if unit == 'crop' else 1
    feats = [(p.reshape(1, 136, 1, 1) / scale,) for p in (points, mirrored)]
    sample = SimpleNamespace(metainfo=dict(flip_indices=IBUG68.flip_indices, input_size=(size, size)))
    predicted = head.predict(feats, [sample], dict(flip_test=True))[0].keypoints
    np.testing.assert_allclose(predicted[0], points[0], atol=1e-3)


def test_hidden_norm_eval_keeps_the_statistics_and_each_face_by_itself() -> None:
    torch.manual_seed(0)
    images = torch.randn(4, 3, 128, 128)
    network = YinNet(hidden_norm_eval=True).train()
    assert network.bn.weight.requires_grad
    assert network.conv_layer1[2].training
    network(images)
    assert network.bn.num_batches_tracked == 0
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.eval()
    torch.testing.assert_close(network(images)[0][:1], network(images[:2])[0][:1])


def test_batches_are_what_mmpose_makes_of_them() -> None:
    options = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True)
    crops = [torch.randint(0, 256, (20, 30, 3), dtype=torch.uint8).permute(2, 0, 1) for _ in range(3)]
    ours, theirs = (
        MODELS.build(dict(type=kind, **options))(
            dict(inputs=list(crops), data_samples=[PoseDataSample() for _ in crops]), training=True
        )
        for kind in ('FaceDataPreprocessor', 'PoseDataPreprocessor')
    )
    torch.testing.assert_close(ours['inputs'], theirs['inputs'], rtol=0, atol=0)
    for a, b in zip(ours['data_samples'], theirs['data_samples']):
        assert a.metainfo == b.metainfo
