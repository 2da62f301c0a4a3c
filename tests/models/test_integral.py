"""The backbone and head of the integral networks: size, geometry, the points of several markups."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch.utils.flop_counter import FlopCounterMode

import facealign.plugin  # noqa: F401
from facealign.models import FaceIntegralHead, FaceResNet

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'integral'


def _head(count: int = 2, **kwargs) -> FaceIntegralHead:
    """Whose maps are its input's channels."""
    head = FaceIntegralHead(
        in_channels=count,
        in_featuremap_size=(16, 8),
        num_joints=count,
        decoder=dict(type='FaceRegressionLabel', input_size=(128, 64)),
        loss=dict(type='L1Loss', use_target_weight=True),
        **kwargs,
    )
    with torch.no_grad():
        head.final_layer.weight.copy_(torch.eye(count)[..., None, None])
        head.final_layer.bias.zero_()
    return head


def _peak(x: int, y: int) -> torch.Tensor:
    maps = torch.full((1, 1, 8, 16), -100.0)
    maps[0, 0, y, x] = 100
    return maps


@pytest.mark.parametrize(('x', 'y'), [(0, 0), (15, 7), (5, 3)])
def test_a_cell_stands_for_the_centre_of_its_pixels(x: int, y: int) -> None:
    points, maps = _head(1)((_peak(x, y),))
    # Cell i covers pixels 8i to 8i + 7, whose centre is 8i + 3.5.
    found = _head(1).decode(points.detach().unsqueeze(1))[0].keypoints[0, 0]
    np.testing.assert_allclose(found, [8 * x + 3.5, 8 * y + 3.5], atol=1e-4)
    assert maps.sum().item() == pytest.approx(1)


def test_an_annotation_offset_moves_what_is_predicted_and_not_what_is_learnt() -> None:
    maps = torch.randn(2, 2, 8, 16)
    plain, moved = _head(), _head(annotation_offset=0.01)
    torch.testing.assert_close(moved((maps,)), plain((maps,)))  # the loss's and a teacher's points
    sample = SimpleNamespace(metainfo=dict(flip_indices=[1, 0], input_size=(128, 64)))
    for flip in (False, True):
        feats = [(maps,), (maps.flip(3),)] if flip else (maps,)
        points = [
            np.stack([p.keypoints[0] for p in head.predict(feats, [sample], dict(flip_test=flip))])
            for head in (plain, moved)
        ]
        np.testing.assert_allclose(points[1] - points[0], np.broadcast_to([1.28, 0], points[0].shape), atol=1e-4)


def test_the_mirrored_map_gives_the_mirrored_point() -> None:
    maps = torch.randn(3, 2, 8, 16)
    head = _head()
    plain, mirrored = head((maps,))[0], head((maps.flip(3),))[0]
    torch.testing.assert_close(mirrored[..., 0] * 128, 127 - plain[..., 0] * 128, atol=1e-4, rtol=0)
    torch.testing.assert_close(mirrored[..., 1], plain[..., 1])


def test_training_sees_all_points_and_prediction_those_of_one_markup() -> None:
    head, maps = _head(5, points=(1, 3)), torch.randn(2, 5, 8, 16)
    everything = head((maps,))[0]
    assert everything.shape == (2, 5, 2)
    torch.testing.assert_close(head.eval()((maps,))[0], everything[:, 1:3])


def test_loss_leaves_out_absent_points() -> None:
    labels = SimpleNamespace(
        keypoint_labels=torch.tensor([[[0.25, 0.5], [9.0, 9.0]]]), keypoint_weights=torch.tensor([[1.0, 0.0]])
    )
    head = _head()
    maps = torch.zeros(1, 2, 8, 16)  # flat: the expectation is the middle of the crop, (63.5, 31.5) in pixels
    loss = head.loss((maps,), [SimpleNamespace(gt_instance_labels=labels)])['loss_kpt']
    assert loss.item() == pytest.approx((abs(63.5 / 128 - 0.25) + abs(31.5 / 64 - 0.5)) / 4, abs=1e-6)


@pytest.mark.parametrize(('name', 'gmac', 'megabytes'), [('lite', 0.15, 6), ('base', 0.6, 20)])
def test_configs_keep_their_budget(name: str, gmac: float, megabytes: float) -> None:
    init_default_scope('mmpose')
    network = MODELS.build(Config.fromfile(CONFIGS / f'{name}_128_joint.py').model).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        points, maps = network.head(network.extract_feat(torch.zeros(1, 3, 128, 128)))
    assert points.shape == (1, 68, 2) and maps.shape == (1, 68, 16, 16)
    assert 0.9 * gmac < counter.get_total_flops() / 2e9 <= gmac
    assert 2 * sum(p.numel() for p in network.parameters()) < 1e6 * megabytes  # 16-bit weights


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match='FaceResNet wants'):
        FaceResNet(channels=(8, 8, 8))
