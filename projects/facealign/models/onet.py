"""ONet: the small landmark regressor of the 68-point reference system."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F


@MODELS.register_module()
class ONet(BaseModule):
    """MTCNN's output network as the reference trains it: ReLU, no batch normalisation.

    Takes ``[B, 3, 48, 48]`` and returns a tuple with one feature map
    ``[B, 256, 1, 1]``; with a regression head of 68 points it has 419,336
    parameters. After Zhang et al., "Joint Face Detection and Alignment using
    Multi-task Cascaded Convolutional Networks" (2016).
    """

    out_channels = 256

    def __init__(self, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg or dict(type='Xavier', layer='Conv2d'))
        self.conv1 = nn.Conv2d(3, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.conv3 = nn.Conv2d(64, 64, 3)
        self.conv4 = nn.Conv2d(64, 128, 2)
        self.fc1 = nn.Linear(128 * 3 * 3, self.out_channels)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Features of images ``[B, 3, 48, 48]``; other sizes do not fit the hidden layer."""
        x = F.relu(F.max_pool2d(self.conv1(x), 3, 2, ceil_mode=True))
        x = F.relu(F.max_pool2d(self.conv2(x), 3, 2, ceil_mode=True))
        x = F.relu(F.max_pool2d(self.conv3(x), 2, 2, ceil_mode=True))
        x = F.relu(self.conv4(x))
        x = F.relu(self.fc1(torch.flatten(x, 1)))
        return (x[:, :, None, None],)
