"""Training hooks that MMEngine lacks."""

from __future__ import annotations

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from facealign.engine.memory import keep_freed_memory


@HOOKS.register_module()
class FastCpuHook(Hook):
    """Convolutions in channels-last order and, on CPU, an allocator that keeps its memory.

    Together they train YinNet about 1.8 times as fast on CPU; channels-last
    also suits a GPU's tensor cores. Results differ from the default order by
    rounding only.
    """

    def before_run(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        model.to(memory_format=torch.channels_last)
        if next(model.parameters()).device.type == 'cpu':
            keep_freed_memory()
