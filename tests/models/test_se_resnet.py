"""FirstBlockSEResNet against torchvision's ResNet and the published counts."""

from __future__ import annotations

import pytest
import torch
import torchvision
from mmpose.registry import MODELS
from torch import nn

import facealign.plugin  # noqa: F401
from facealign.models.se_resnet import ChannelGate, FirstBlockSEResNet


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize('depth, expected', [(101, 59_672_490), (50, 40_680_362)])
def test_parameters_with_head_of_106_points(depth: int, expected: int) -> None:
    backbone = MODELS.build(dict(type='FirstBlockSEResNet', depth=depth))
    head = MODELS.build(dict(type='DUCHead', in_channels=2048, out_channels=106))
    assert count(backbone) + count(head) == expected


def test_only_the_first_block_of_each_stage_has_a_gate() -> None:
    net = FirstBlockSEResNet(50)
    gates = {name for name, module in net.named_modules() if isinstance(module, ChannelGate)}
    assert gates == {f'layer{stage}.0.se' for stage in (1, 2, 3, 4)}
    assert [count(net.get_submodule(f'layer{stage}.0.se')) for stage in (1, 2, 3, 4)] == [
        131_584,
        525_312,
        2_099_200,
        8_392_704,
    ]


@torch.no_grad()
def test_equals_torchvision_where_gates_are_open() -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.resnet50(weights=None).eval()
    ours = FirstBlockSEResNet(50)
    ours.eval()
    result = ours.load_state_dict(theirs.state_dict(), strict=False)
    assert result.unexpected_keys == ['fc.weight', 'fc.bias']
    assert all('.se.fc.' in key for key in result.missing_keys)
    for module in ours.modules():
        if isinstance(module, ChannelGate):
            module.fc[2].weight.zero_()
            module.fc[2].bias.fill_(100.0)
    images = torch.randn(2, 3, 96, 64)
    trunk = nn.Sequential(*list(theirs.children())[:-2])
    (features,) = ours(images)
    assert features.shape == (2, 2048, 3, 2)
    torch.testing.assert_close(features, trunk(images), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_gate_scales_channels_by_their_means() -> None:
    gate = ChannelGate(2)
    gate.fc[0].weight.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
    gate.fc[2].weight.copy_(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    gate.fc[0].bias.zero_()
    gate.fc[2].bias.zero_()
    x = torch.stack([torch.tensor([[1.0, 3.0]]), torch.tensor([[4.0, 4.0]])])[None]
    # Means 2 and 4 → hidden 2 and 0 → sigmoid(0) = 0.5 and sigmoid(2).
    expected = x * torch.tensor([0.5, 1 / (1 + torch.e**-2.0)])[None, :, None, None]
    torch.testing.assert_close(gate(x), expected)


def test_initial_weights_are_pytorchs() -> None:
    net = FirstBlockSEResNet(50, base_channels=8, stem_channels=8)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    net.init_weights()
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert (net.layer1[0].bn3.weight == 1).all()


def test_gradient_checkpointing_changes_nothing() -> None:
    torch.manual_seed(0)
    plain = FirstBlockSEResNet(50, base_channels=8, stem_channels=8)
    saving = FirstBlockSEResNet(50, base_channels=8, stem_channels=8, with_cp=True)
    saving.load_state_dict(plain.state_dict())
    images = torch.randn(2, 3, 64, 64)
    for net in (plain, saving):
        net(images)[0].square().mean().backward()
    torch.testing.assert_close(plain.conv1.weight.grad, saving.conv1.weight.grad)


def test_other_depths_are_refused() -> None:
    with pytest.raises(KeyError, match='invalid depth 18'):
        FirstBlockSEResNet(18)
