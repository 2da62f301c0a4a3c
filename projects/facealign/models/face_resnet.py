"""A small residual backbone for landmark maps: three stages, the last one merged back into the second."""

from __future__ import annotations

from collections.abc import Sequence

from mmpose.models.backbones.base_backbone import BaseBackbone
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]


class _Block(nn.Module):
    """Two 3×3 convolutions and a shortcut (He et al., 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            *_conv(inputs, outputs, stride=stride), nn.ReLU(inplace=True), *_conv(outputs, outputs)
        )
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Sequential(*_conv(inputs, outputs, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.convs(x) + self.shortcut(x), inplace=True)


@MODELS.register_module()
class FaceResNet(BaseBackbone):
    """Residual stages at 1/4, 1/8 and 1/16 of the input; the last is merged into the second, as in an FPN.

    Plain 3×3 convolutions throughout: on CPUs they train several times as
    fast as depthwise ones of as many multiplications, and a map of 16 × 16
    cells, read by its expectation (:class:`facealign.models.heads.FaceIntegralHead`),
    places points of a 128-pixel crop better than one of 32 × 32 cells for the
    same time. After ResNet (He et al., 2016) and FPN (Lin et al., 2017).

    Args:
        channels: of the stem and of the three stages.
        blocks: in each of the three stages.
        merged: channels of the merged map.
        smooth: what follows the merge: ``block`` (two convolutions and a
            shortcut) or ``conv`` (one convolution).

    ``forward``: [B, 3, H, W] → one map [B, merged, H/8, W/8], in a tuple.
    """

    def __init__(
        self,
        channels: Sequence[int],
        blocks: Sequence[int] = (1, 2, 2),
        merged: int = 128,
        smooth: str = 'block',
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(channels) != 4 or len(blocks) != 3 or smooth not in ('block', 'conv'):
            raise ValueError('FaceResNet wants 4 channels, 3 blocks and smooth="block" or "conv"')
        self.stem = nn.Sequential(*_conv(3, channels[0], stride=2), nn.ReLU(inplace=True))
        self.stages = nn.ModuleList(
            nn.Sequential(_Block(inputs, outputs, 2), *(_Block(outputs, outputs) for _ in range(count - 1)))
            for inputs, outputs, count in zip(channels[:-1], channels[1:], blocks)
        )
        self.top = nn.Conv2d(channels[3], merged, 1)
        self.lateral = nn.Conv2d(channels[2], merged, 1)
        self.smooth: nn.Module = _Block(merged, merged)
        if smooth == 'conv':
            self.smooth = nn.Sequential(*_conv(merged, merged), nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> tuple[Tensor]:
        maps = [self.stem(x)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        merged = F.interpolate(self.top(maps[3]), scale_factor=2.0) + self.lateral(maps[2])
        return (self.smooth(merged),)
