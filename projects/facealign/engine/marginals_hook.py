"""The loss of the maps' marginals for the first part of a training only."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpose.registry import HOOKS


@HOOKS.register_module()
class MarginalsUntilHook(Hook):
    """Sets ``marginals`` of a :class:`facealign.models.FaceIntegralHead` to 0 after an epoch.

    The loss makes the network learn faster and ends lower than the points'
    own loss does (docs/results/runs.md), so that it is for the beginning.

    Args:
        epoch: the last one with the loss, counted from 1. A resumed training knows where it is.
    """

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def before_train_epoch(self, runner: Runner) -> None:
        if runner.epoch >= self.epoch:
            model = runner.model.module if is_model_wrapper(runner.model) else runner.model
            model.head.marginals = 0
