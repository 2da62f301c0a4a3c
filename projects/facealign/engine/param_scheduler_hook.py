"""Learning-rate schedules of resumed runs."""

from __future__ import annotations

import copy
import warnings
from typing import Any

from mmengine.hooks import ParamSchedulerHook
from mmengine.optim import _ParamScheduler
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpose.registry import HOOKS

from facealign.engine.dpg_hook import DPGHook

_COUNTERS = ('last_step', '_global_step', '_last_value', 'verbose')


@HOOKS.register_module()
class ConfigParamSchedulerHook(ParamSchedulerHook):
    """MMEngine's ``ParamSchedulerHook`` whose resumed runs follow the config's schedule, not the checkpoint's.

    MMEngine restores schedulers with all their settings: a run resumed with
    another ``train_cfg.max_epochs``, batch size or number of processes would
    keep the old schedule, which ends elsewhere. Here such a run goes on at
    the rates that its own schedule has from there on, and says so. One whose
    schedule is the checkpoint's goes on to the last bit as it was.
    """

    def before_run(self, runner: Runner) -> None:
        """Keep the schedule of the config, and the rates it starts with, before a checkpoint replaces them."""
        self._others = False
        if _are_built(runner):
            self._states = [copy.copy(part.state_dict()) for part in runner.param_schedulers]
            self._groups = [_rates(group, runner.param_schedulers) for group in runner.optim_wrapper.param_groups]

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        theirs = checkpoint.get('param_schedulers')
        if runner._resume and _are_built(runner) and isinstance(theirs, list):
            ours = [_settings(state) for state in self._states]
            self._others = ours != [_settings(state) for state in theirs]

    def before_train(self, runner: Runner) -> None:
        if self._others:
            before = runner.optim_wrapper.param_groups[0]['lr']
            self._catch_up(runner)
            runner.logger.info(
                f"The checkpoint's schedule was another than the config's, of {runner.max_epochs} epochs; the "
                f'learning rate goes on where that has it, {runner.optim_wrapper.param_groups[0]["lr"]:g} after '
                f'epoch {runner.epoch} (it was {before:g})'
            )
        if 0 < runner.max_epochs <= runner.epoch:
            runner.logger.info(
                f'{runner.epoch} epochs are done, and train_cfg.max_epochs is {runner.max_epochs}: nothing is left'
            )

    def _catch_up(self, runner: Runner) -> None:
        """Bring schedulers and rates to where the steps that are done would have brought them."""
        for scheduler, state in zip(runner.param_schedulers, self._states):
            scheduler.load_state_dict(copy.copy(state))
        for group, rates in zip(runner.optim_wrapper.param_groups, self._groups):
            group.update(rates)
        resets = [hook for hook in runner.hooks if isinstance(hook, DPGHook)]
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # that no step of the optimiser comes between
            if not isinstance(runner.train_loop, EpochBasedTrainLoop):
                self._step(runner, runner.iter)
                return
            for epoch in range(runner.epoch):
                for hook in resets:
                    hook.reset_rate(runner.optim_wrapper, epoch)
                self._step(runner, len(runner.train_dataloader))
                self.after_train_epoch(runner)

    def _step(self, runner: Runner, count: int) -> None:
        for i in range(count):
            self.after_train_iter(runner, i)


def _are_built(runner: Runner) -> bool:
    """Whether there are schedulers, in one list; a run that only measures leaves them as its config has them."""
    parts = runner.param_schedulers
    return isinstance(parts, list) and all(isinstance(part, _ParamScheduler) for part in parts)


def _settings(state: dict) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key not in _COUNTERS}


def _rates(group: dict, schedulers: list[_ParamScheduler]) -> dict[str, float]:
    """What schedulers have set in a group of parameters, and what they began from."""
    names = {scheduler.param_name for scheduler in schedulers}
    return {key: group[key] for name in names for key in (name, f'initial_{name}')}
