"""Data-parallel training in which several processes learn what one would."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.registry import MODEL_WRAPPERS  # the runner asks there only
from torch import nn

from facealign.engine.memory import lay_out


@MODEL_WRAPPERS.register_module()
class FaceDistributedDataParallel(MMDistributedDataParallel):
    """MMEngine's ``DistributedDataParallel``, on GPUs or CPU, of a network in channels-last order.

    The order is set before wrapping: the wrapper lays its gradient buckets
    out as the weights are then, and a change after it would scramble the
    gradients of the first step. The losses that a step returns for the log
    are the means over all processes.
    """

    def __init__(self, module: nn.Module, device_ids: list[int] | None = None, **kwargs: Any) -> None:
        on_gpu = next(module.parameters()).is_cuda
        super().__init__(module=lay_out(module), device_ids=device_ids if on_gpu else None, **kwargs)

    def train_step(self, data: dict | tuple | list, optim_wrapper: OptimWrapper) -> dict[str, torch.Tensor]:
        """One step of the optimiser; returns the losses, each a mean over the processes."""
        losses = super().train_step(data, optim_wrapper)
        means = torch.stack([value.detach().float() for value in losses.values()])
        all_reduce(means, op='mean')
        return dict(zip(losses, means.unbind()))
