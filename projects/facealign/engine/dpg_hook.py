"""Two training stages in one run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from facealign.datasets.dpg import DPG
from facealign.errors import FaceAlignError


@HOOKS.register_module()
class DPGHook(Hook):
    """Switch :class:`facealign.datasets.dpg.DPG` on and reset the learning rate when epoch ``begin`` starts.

    Before, DPG is off. A run resumed later finds it on again, and its
    learning rate as the checkpoint or a changed schedule has it. Schedulers that begin at
    ``begin`` (MMEngine's go on from the current rate) start from ``lr``.

    Args:
        begin: the first epoch of the second stage, counted from 0: the epochs of the first.
        lr: the rate that the second stage starts with. Rates that a
            parameter group has of its own, or that ``--auto-scale-lr``
            changed, keep their ratio to the optimiser's.

    Raises:
        FaceAlignError: the train pipeline has no DPG.
    """

    # Before the schedulers and before anything that reads the rate.
    priority = 'VERY_HIGH'

    def __init__(self, begin: int, lr: float) -> None:
        self.begin, self.lr = begin, lr

    def before_train_epoch(self, runner: Runner) -> None:
        # MMEngine starts a new pass over the loader only after this.
        transforms = list(find_dpg(runner.train_dataloader.dataset))
        if not transforms:
            raise FaceAlignError('DPGHook: the train pipeline has no DPG to switch on; add dict(type="DPG") to it')
        for transform in transforms:
            transform.switch(runner.epoch >= self.begin)
        if self.reset_rate(runner.optim_wrapper, runner.epoch):
            runner.logger.info(f'second stage: DPG is on, the learning rate is {self.lr:g}')

    def reset_rate(self, optim_wrapper: OptimWrapper, epoch: int) -> bool:
        """Set the second stage's rate if ``epoch`` is its first; returns whether it is."""
        if epoch == self.begin:
            base = optim_wrapper.optimizer.defaults['lr']
            for group in optim_wrapper.param_groups:  # with the one that the log calls base_lr
                group['lr'] = self.lr * group.get('initial_lr', base) / base
        return epoch == self.begin


def find_dpg(part: Any) -> Iterator[DPG]:
    """Every DPG in a dataset, in the datasets it wraps, and in transforms that hold others."""
    if isinstance(part, DPG):
        yield part
    elif isinstance(part, (list, tuple)):
        for item in part:
            yield from find_dpg(item)
    else:
        for name in ('dataset', 'datasets', 'pipeline', 'transforms'):
            yield from find_dpg(getattr(part, name, ()))
