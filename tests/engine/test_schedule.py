"""Schedules of every config at other numbers of epochs, against their closed forms."""

from __future__ import annotations

import copy
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from mmengine.config import Config
from mmpose.registry import PARAM_SCHEDULERS

import facealign.plugin  # noqa: F401
from facealign.engine.schedule import fit_schedule
from facealign.errors import FaceAlignError

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(
    path.relative_to(ROOT / 'configs').as_posix()
    for path in (ROOT / 'configs').rglob('*.py')
    if '_base_' not in path.parts
)


@cache
def _read(name: str) -> Config:
    return Config.fromfile(ROOT / 'configs' / name)


def load(name: str) -> Config:
    return copy.deepcopy(_read(name))


def schedules() -> dict[str, str]:
    """One config of every schedule that there is among ``CONFIGS`` but the two-stage one's; its text → the config."""
    found: dict[str, str] = {}
    for name in CONFIGS:
        if 'two-stage' not in name:
            config = _read(name)
            parts = (config.get('param_scheduler'), config.optim_wrapper.optimizer.lr, config.train_cfg.max_epochs)
            found.setdefault(str(parts), name)
    return found


def rates(config: Config, epoch_length: int) -> list[float]:
    """The rate of every iteration, as MMEngine's runner and its ParamSchedulerHook would have it."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=config.optim_wrapper.optimizer.lr)
    settings = dict(optimizer=optimizer, epoch_length=epoch_length, _scope_='mmpose')
    schedulers = [PARAM_SCHEDULERS.build(part, default_args=settings) for part in config.get('param_scheduler') or []]
    second = {hook.begin: hook.lr for hook in config.custom_hooks if hook.type == 'DPGHook'}
    found = []
    for epoch in range(config.train_cfg.max_epochs):
        optimizer.param_groups[0]['lr'] = second.get(epoch, optimizer.param_groups[0]['lr'])
        for _ in range(epoch_length):
            found.append(optimizer.param_groups[0]['lr'])
            optimizer.step()
            for scheduler in schedulers:
                if not scheduler.by_epoch:
                    scheduler.step()
        for scheduler in schedulers:
            if scheduler.by_epoch:
                scheduler.step()
    return found


def expected(config: Config, epochs: int, epoch_length: int) -> list[float]:
    """The same of a config as it is written, moved to ``epochs``: warm-up and cosine, steps, or constant."""
    top, own = config.optim_wrapper.optimizer.lr, config.train_cfg.max_epochs
    parts = {part.type: part for part in config.get('param_scheduler') or []}
    steps = range(epochs * epoch_length)
    if 'StepLR' in parts:
        size = max(1, round(parts['StepLR'].step_size * epochs / own))
        return [top * parts['StepLR'].gamma ** (i // epoch_length // size) for i in steps]
    if 'CosineAnnealingLR' not in parts:
        return [top for _ in steps]
    cosine, warm = parts['CosineAnnealingLR'], parts.get('WarmUpLR')
    scale = epochs / own * epoch_length
    begin, length, low = int(cosine.begin * scale), cosine.T_max * scale, cosine.eta_min
    found = []
    for i in steps:
        if i < begin and begin > 1 and warm:
            found.append(top * (warm.start_factor + (1 - warm.start_factor) * i / (begin - 1)))
        else:
            found.append(low + (top - low) * (1 + math.cos(math.pi * max(0, i - begin) / length)) / 2)
    return found


@pytest.mark.parametrize('epoch_length', [1, 7])
@pytest.mark.parametrize('epochs', [1, 2, 3, 5, 300])
def test_rates_are_those_of_the_whole_schedule_moved(epochs: int, epoch_length: int) -> None:
    for name in schedules().values():
        config = load(name)
        fit_schedule(config, epochs)
        assert config.train_cfg.max_epochs == epochs
        wanted = expected(load(name), epochs, epoch_length)
        np.testing.assert_allclose(rates(config, epoch_length), wanted, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize('epochs', [1, 2, 3, 5, 1000])
def test_both_stages_have_their_share(epochs: int) -> None:
    config = load('fastpose/fastpose_two-stage_256_datatang106.py')
    fit_schedule(config, epochs)
    hook = next(hook for hook in config.custom_hooks if hook.type == 'DPGHook')
    assert hook.begin == max(1, round(150 / 210 * epochs))
    found = rates(config, 20)
    first, second = found[: hook.begin * 20], found[hook.begin * 20 :]
    # Each ends a step of its cosine above the least rate, 1e-6.
    assert max(first) == pytest.approx(5e-4) and min(first[-1:]) < 5e-4 * 0.01
    assert not second or (second[0] == pytest.approx(1e-4) and second[-1] < 1e-4 * 0.02)


@pytest.mark.parametrize('name', CONFIGS)
def test_a_config_as_it_is_stays(name: str) -> None:
    config = load(name)
    before = config.to_dict()
    fit_schedule(config)
    fit_schedule(config, config.train_cfg.max_epochs)
    assert config.to_dict() == before


def _cosine(begin: float, length: float) -> dict:
    return dict(type='CosineAnnealingLR', begin=begin, T_max=length, by_epoch=True, convert_to_iter_based=True)


@pytest.mark.parametrize('epochs', [3, 20, 35])
def test_a_derived_config_need_only_name_its_epochs(tmp_path: Path, epochs: int) -> None:
    path = tmp_path / 'mine.py'
    path.write_text(f"_base_ = ['{ROOT}/configs/yinnet/yinnet_128_300w.py']\ntrain_cfg = dict(max_epochs={epochs})\n")
    config = Config.fromfile(path)
    fit_schedule(config)
    cosine = config.param_scheduler[1]
    assert cosine.begin + cosine.T_max == pytest.approx(epochs)
    assert cosine.begin == pytest.approx(2 / 70 * epochs)


def test_a_config_that_means_its_schedule_to_end_early_keeps_it() -> None:
    warm_up = dict(type='LinearLR', begin=0, end=5, by_epoch=True)
    config = Config(dict(train_cfg=dict(max_epochs=60), param_scheduler=[warm_up, dict(_cosine(5, 25), end=30)]))
    fit_schedule(config)
    assert config.param_scheduler == [warm_up, dict(_cosine(5, 25), end=30)]
    fit_schedule(config, 120)
    assert (config.param_scheduler[0].end, config.param_scheduler[1].end) == (10, 60)


def test_switches_and_milestones_move() -> None:
    hooks = [dict(type='EMAHook', begin_epoch=40), dict(type='PipelineSwitchHook', switch_epoch=80)]
    config = Config(
        dict(
            train_cfg=dict(max_epochs=100, val_begin=50, dynamic_intervals=[(90, 1)]),
            param_scheduler=dict(type='MultiStepLR', milestones=[60, 90], by_epoch=True),
            custom_hooks=hooks,
        )
    )
    fit_schedule(config, 10)
    assert config.param_scheduler.milestones == [6, 9]
    assert config.custom_hooks[0].begin_epoch == 4 and config.custom_hooks[1].switch_epoch == 8
    assert config.train_cfg.val_begin == 5 and config.train_cfg.dynamic_intervals == [(9, 1)]


def test_what_counts_iterations_is_left_alone() -> None:
    steps = dict(type='LinearLR', begin=0, end=500, by_epoch=False)
    config = Config(dict(train_cfg=dict(max_epochs=10), param_scheduler=[steps, _cosine(0, 10)]))
    fit_schedule(config, 5)
    assert config.param_scheduler[0] == steps
    config = Config(dict(train_cfg=dict(by_epoch=False, max_iters=900), param_scheduler=[steps]))
    fit_schedule(config)
    assert config.train_cfg.max_iters == 900


@example(own=7, epochs=15, warm=3, epoch_length=7)  # 45 + 60 iterations, in floating point 44.99… and 59.99…
@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 30), st.integers(1, 9))
def test_any_length_stays_between_its_rates(own: int, epochs: int, warm: int, epoch_length: int) -> None:
    warm = min(warm, own - 1)
    parts = [dict(type='WarmUpLR', begin=0, end=warm, start_factor=0.01, by_epoch=True, convert_to_iter_based=True)]
    config = Config(
        dict(
            train_cfg=dict(by_epoch=True, max_epochs=own),
            optim_wrapper=dict(optimizer=dict(lr=1.0)),
            param_scheduler=[*(parts if warm else []), dict(_cosine(warm, own - warm), eta_min=0.001)],
            custom_hooks=[],
        )
    )
    fit_schedule(config, min(epochs, 60))
    found = rates(config, epoch_length)
    assert max(found) == pytest.approx(1) and min(found) >= 0.001 - 1e-9
    peak = found.index(max(found))
    assert found[: peak + 1] == sorted(found[: peak + 1]) and found[peak:] == sorted(found[peak:], reverse=True)


@pytest.mark.parametrize('epochs', [0, -1, 1.5, 'ten', True, None])
def test_no_number_of_epochs_is_one_line(epochs: object) -> None:
    config = Config(dict(train_cfg=dict(max_epochs=epochs)))
    with pytest.raises(FaceAlignError, match='give a whole number of epochs'):
        fit_schedule(config)
