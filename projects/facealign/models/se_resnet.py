"""The trunk of the 106-point reference system: a ResNet with four squeeze-and-excitation gates."""

from __future__ import annotations

from typing import Any

from mmpose.models.backbones import ResNet
from mmpose.models.backbones.resnet import Bottleneck
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class ChannelGate(nn.Module):
    """Scale each channel by a number in (0, 1) computed from the means of all channels.

    Squeeze-and-excitation (Hu et al., 2018) without the squeeze: the hidden
    layer is as wide as the input (ratio 1). Shapes stay ``[B, C, H, W]``.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels), nn.ReLU(inplace=True), nn.Linear(channels, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc(x.mean(dim=(2, 3)))[:, :, None, None]


class GatedBottleneck(Bottleneck):
    """MMPose's ``Bottleneck``; the first of a stage, known by its projected shortcut, has a gate after ``bn3``."""

    def __init__(self, in_channels: int, out_channels: int, **kwargs: Any) -> None:
        super().__init__(in_channels, out_channels, **kwargs)
        self.se = nn.Identity() if self.downsample is None else ChannelGate(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        if self.with_cp and x.requires_grad:
            return self.relu(checkpoint(self._residual, x, use_reentrant=False))
        return self.relu(self._residual(x))

    def _residual(self, x: Tensor) -> Tensor:
        out = self.relu(self.norm1(self.conv1(x)))
        out = self.relu(self.norm2(self.conv2(out)))
        out = self.se(self.norm3(self.conv3(out)))
        return out + (x if self.downsample is None else self.downsample(x))


@MODELS.register_module()
class FirstBlockSEResNet(ResNet):
    """ResNet-50 or -101 with a gate in the first block of each stage only.

    MMPose's ``SEResNet`` is another network: a gate in every block, ratio 16.
    The parameters of the trunk bear torchvision's names, so torchvision's
    ImageNet weights load with
    ``init_cfg=dict(type='Pretrained', checkpoint='resnet101-….pth')``; the
    gates then start from PyTorch's default, as everything does without
    ``init_cfg`` (the 2019 reference trains from there). Takes
    ``[B, 3, H, W]`` and returns a tuple with one map ``[B, 32 * base_channels,
    H / 32, W / 32]``; without head it has 53,648,960 parameters at depth 101.

    Args:
        depth: 50 or 101.
        kwargs: of MMPose's ``ResNet``; ``stem_channels`` and ``base_channels`` (both 64) set the width.
    """

    arch_settings = {depth: (GatedBottleneck, ResNet.arch_settings[depth][1]) for depth in (50, 101)}

    def __init__(self, depth: int, init_cfg: dict | list | None = None, **kwargs: Any) -> None:
        super().__init__(depth, zero_init_residual=False, init_cfg=init_cfg, **kwargs)
