"""The head of the 106-point reference system: up-sampling by moving channels into space."""

from __future__ import annotations

from typing import Any

from mmpose.models.heads import HeatmapHead
from mmpose.registry import MODELS
from torch import Tensor, nn


class DUC(nn.Module):
    """Dense up-sampling convolution (Wang et al., 2018): ``[B, C, H, W]`` → ``[B, C // 2, 2H, 2W]``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 2 * channels, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(2 * channels)
        self.relu = nn.ReLU(inplace=True)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.shuffle(self.relu(self.bn(self.conv(x))))


@MODELS.register_module()
class DUCHead(HeatmapHead):
    """MMPose's ``HeatmapHead`` with PixelShuffle and two :class:`DUC` blocks in the place of its deconvolutions.

    ``[B, in_channels, H, W]`` → heatmaps ``[B, out_channels, 8H, 8W]``, linear,
    from a 3x3 convolution with bias; 6,023,530 parameters for 2,048 channels
    and 106 points. Weights start from PyTorch's default. Loss, decoding and
    flipped testing are MMPose's.

    Args:
        in_channels: of the backbone; a multiple of 16.
        out_channels: number of points.
        kwargs: ``loss``, ``decoder`` and ``init_cfg`` of ``HeatmapHead``.
    """

    def __init__(self, in_channels: int, out_channels: int, **kwargs: Any) -> None:
        super().__init__(
            in_channels // 16,
            out_channels,
            deconv_out_channels=None,
            deconv_kernel_sizes=None,
            final_layer=dict(kernel_size=3, padding=1),
            **kwargs,
        )
        self.in_channels = in_channels
        self.deconv_layers = nn.Sequential(nn.PixelShuffle(2), DUC(in_channels // 4), DUC(in_channels // 8))

    @property
    def default_init_cfg(self) -> list:
        return []
