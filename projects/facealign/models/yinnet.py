"""YinNet: the plain convolutional landmark regressor of the 68-point reference system."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class YinNet(BaseModule):
    """Eight valid 3x3 convolutions, each conv → ReLU → BN, and one hidden layer.

    Takes ``[B, 3, 128, 128]`` and returns a tuple with one feature map
    ``[B, 1024, 1, 1]``; a regression head's single linear layer completes the
    network (7,344,456 parameters with 68 points). The order of the layers and
    the pooling, whose last one has stride 1, follow Yin Guobing's landmark
    detector (2017; batch normalisation since 2020).

    Args:
        hidden_norm_eval: the hidden layer's normalisation keeps its running
            statistics (0 and 1 from random weights) in training, as
            ``norm_eval`` does in MMPose's backbones. By the statistics of a
            batch it takes each batch's mean position, size and pose out of the
            points, an error that the last layer can only learn to live with.
    """

    out_channels = 1024

    def __init__(self, hidden_norm_eval: bool = False, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.hidden_norm_eval = hidden_norm_eval
        self.conv_layer1 = nn.Sequential(*_conv(3, 32))
        self.conv_layer2 = nn.Sequential(*_conv(32, 64), *_conv(64, 64))
        self.conv_layer3 = nn.Sequential(*_conv(64, 64), *_conv(64, 64))
        self.conv_layer4 = nn.Sequential(*_conv(64, 128), *_conv(128, 128))
        self.conv_layer5 = nn.Sequential(*_conv(128, 256))
        self.pool = nn.MaxPool2d(2)
        self.pool_stride1 = nn.MaxPool2d(2, stride=1)
        self.fc1 = nn.Linear(256 * 5 * 5, self.out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.bn = nn.BatchNorm1d(self.out_channels)

    def train(self, mode: bool = True) -> YinNet:
        """Training or evaluation mode; see ``hidden_norm_eval``."""
        super().train(mode)
        if self.hidden_norm_eval:
            self.bn.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Features of images ``[B, 3, 128, 128]``; other sizes do not fit the hidden layer."""
        x = self.pool(self.conv_layer1(x))
        x = self.pool(self.conv_layer2(x))
        x = self.pool(self.conv_layer3(x))
        x = self.pool_stride1(self.conv_layer4(x))
        x = self.conv_layer5(x)
        x = self.bn(self.relu(self.fc1(torch.flatten(x, 1))))
        return (x[:, :, None, None],)


def _conv(in_channels: int, out_channels: int) -> list[nn.Module]:
    return [nn.Conv2d(in_channels, out_channels, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(out_channels)]
