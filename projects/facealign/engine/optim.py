"""Mixed precision that also works on CPU."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from mmpose.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """An ``OptimWrapper`` whose forward pass runs under bfloat16 autocast, on CPU or GPU.

    MMEngine's ``AmpOptimWrapper`` refuses to work without an accelerator, and
    scales the loss as float16 needs; bfloat16 has float32's range and needs no
    scaling. The weights stay float32.
    """

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Any:
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, dtype=torch.bfloat16):
            yield
