"""Learning-rate schedules that fit whatever number of epochs is trained."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from mmengine.config import Config
from mmengine.optim import CosineAnnealingLR, LinearLR
from mmpose.registry import PARAM_SCHEDULERS

from facealign.errors import FaceAlignError

# Epochs in hooks: where they lie, or how long they last.
_HOOK_EPOCHS = {'DPGHook': ('begin',), 'EMAHook': ('begin_epoch',), 'PipelineSwitchHook': ('switch_epoch',)}
_ENDLESS = 10**9  # MMEngine's INF
_ROUNDING = 1e-6  # iterations
_OF_FRACTIONS = {'LinearLR': 'WarmUpLR', 'CosineAnnealingLR': 'CosineLR'}


@PARAM_SCHEDULERS.register_module()
class WarmUpLR(LinearLR):
    """Linear warm-up over epochs, in steps of an iteration, that ends at the full rate however short it is.

    MMEngine's ``LinearLR`` of a single iteration leaves the rate at
    ``start_factor``, and one of none is an error: a small data set's epoch
    may be no longer. Here a warm-up of less than two iterations is left out.
    """

    @classmethod
    def build_iter_from_epoch(
        cls, *args: Any, begin: float = 0, end: float = _ENDLESS, epoch_length: int = 1, **kwargs: Any
    ) -> WarmUpLR:
        first, last = int(begin * epoch_length), int(end * epoch_length)
        if last - first < 2:
            kwargs['start_factor'] = kwargs.get('end_factor', 1.0)
            last = first + 2  # its factor is one throughout
        kwargs.pop('by_epoch', None)
        return cls(*args, begin=first, end=last, by_epoch=False, **kwargs)


@PARAM_SCHEDULERS.register_module()
class CosineLR(CosineAnnealingLR):
    """Cosine annealing over epochs, in steps of an iteration, from whatever part of an epoch.

    MMEngine's cuts a beginning of 44.999… iterations, which stands for 45, to
    44; the training is then an iteration longer than the cosine, whose last
    step divides by zero.
    """

    @classmethod
    def build_iter_from_epoch(
        cls, *args: Any, begin: float = 0, epoch_length: int = 1, **kwargs: Any
    ) -> CosineAnnealingLR:
        first = int(begin * epoch_length + _ROUNDING)  # and a half, which MMEngine cuts off, for the division's sake
        return super().build_iter_from_epoch(
            *args, begin=(first + 0.5) / epoch_length, epoch_length=epoch_length, **kwargs
        )


def fit_schedule(config: Config, epochs: int | None = None) -> None:
    """Stretch or shrink a config's schedule to ``epochs``, in place; None: to its own ``train_cfg.max_epochs``.

    Warm-up, cosine, milestones and the epochs at which hooks switch keep
    their place as a share of the training. A schedule as long as the training
    stays as it is to the last bit. Of a config that says nothing else, one
    that does not end with the training is made to: one that goes on beyond
    it, or a cosine that would rise again.

    Raises:
        FaceAlignError: ``epochs`` is not a whole number of at least 1.
    """
    train: Any = config.get('train_cfg') or {}
    if not train.get('by_epoch', True) or 'max_epochs' not in train:
        return
    own = train.max_epochs
    wanted = own if epochs is None else epochs
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise FaceAlignError(f'train_cfg.max_epochs={wanted}: give a whole number of epochs, at least 1')
    schedulers = _schedulers(config)
    written = _written_length(schedulers, own)
    if written != wanted:
        _stretch(config, schedulers, written, wanted)
    train.max_epochs = wanted


def _schedulers(config: Config) -> list[dict]:
    """Those of ``config`` that count epochs."""
    found = config.get('param_scheduler') or []
    found = [found] if isinstance(found, dict) else list(found)
    return [part for part in found if isinstance(part, dict) and part.get('by_epoch', True)]


def _written_length(schedulers: list[dict], epochs: int) -> int:
    """How many epochs a schedule was written for: ``epochs``, the config's own, unless it shows that it was others."""
    ends = [end for end in map(_end, schedulers) if end is not None]
    last = max(ends, default=epochs)
    rises = any(part.get('T_max') and 'end' not in part and _end(part) == last < epochs for part in schedulers)
    return last if last > epochs or rises else epochs


def _end(scheduler: dict) -> int | None:
    if scheduler.get('end') is not None:
        return scheduler['end']
    return scheduler.get('begin', 0) + scheduler['T_max'] if scheduler.get('T_max') else None


def _stretch(config: Config, schedulers: list[dict], old: int, new: int) -> None:
    hooks = [
        (hook, key)
        for hook in config.get('custom_hooks') or []
        for key in _HOOK_EPOCHS.get(str(hook.get('type')), ())
        if key in hook
    ]
    place = _placer(old, new, sorted({hook[key] for hook, key in hooks}))
    for hook, key in hooks:
        hook[key] = round(place(hook[key]))
    for scheduler in schedulers:
        _move(scheduler, place, new / old)
    _move_validation(config, place)
    if isinstance(config.get('param_scheduler'), (list, tuple)):
        config.param_scheduler = [part for part in config.param_scheduler if part not in schedulers or _lasts(part)]


def _placer(old: int, new: int, switches: list[int]) -> Callable[[float], float]:
    """Where an epoch of the old training lies in the new one: linear between the switches, which are whole epochs."""
    before = [0, *(switch for switch in switches if 0 < switch < old), old]
    after = [0, *(max(1, round(new * epoch / old)) for epoch in before[1:])]

    def place(epoch: float) -> float:
        i = min(bisect_right(before, epoch), len(before) - 1)
        share = (epoch - before[i - 1]) / (before[i] - before[i - 1])
        return after[i - 1] + share * (after[i] - after[i - 1])

    return place


def _move(scheduler: dict, place: Callable[[float], float], ratio: float) -> None:
    """One scheduler; those that MMEngine turns into iterations may begin and end within an epoch."""

    def at(epoch: float) -> float:
        return place(epoch) if scheduler.get('convert_to_iter_based') else round(place(epoch))

    begin = scheduler.get('begin', 0)
    if scheduler.get('T_max'):
        scheduler['T_max'] = at(begin + scheduler['T_max']) - at(begin)
    if scheduler.get('step_size'):
        scheduler['step_size'] = max(1, round(scheduler['step_size'] * ratio))
    if scheduler.get('milestones'):
        scheduler['milestones'] = [max(1, round(place(epoch))) for epoch in scheduler['milestones']]
    for key in ('begin', 'end'):
        if scheduler.get(key) is not None and scheduler[key] < _ENDLESS:
            scheduler[key] = at(scheduler[key])
    if scheduler.get('convert_to_iter_based'):
        # A warm-up may have become as short as an iteration, and a cosine may begin within an epoch.
        scheduler['type'] = _OF_FRACTIONS.get(scheduler['type'], scheduler['type'])


def _lasts(scheduler: dict) -> bool:
    """Whether any epoch is left to a scheduler, and to a warm-up by epochs the two that it needs."""
    least = 1 if scheduler['type'] == 'LinearLR' else 0
    return scheduler.get('end') is None or scheduler['end'] - scheduler.get('begin', 0) > least


def _move_validation(config: Config, place: Callable[[float], float]) -> None:
    train, checkpoint = config.train_cfg, (config.get('default_hooks') or {}).get('checkpoint') or {}
    if train.get('val_begin'):
        train.val_begin = max(1, round(place(train.val_begin)))
    if train.get('dynamic_intervals'):
        train.dynamic_intervals = [(round(place(epoch)), interval) for epoch, interval in train.dynamic_intervals]
    if checkpoint.get('save_begin'):
        checkpoint['save_begin'] = round(place(checkpoint['save_begin']))
