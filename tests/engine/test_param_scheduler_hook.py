"""Schedules of resumed runs: the config's, whatever the checkpoint's was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mmengine.runner.runner
import pytest
import torch
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner

import facealign.engine.dpg_hook
import facealign.plugin  # noqa: F401
from facealign.engine.param_scheduler_hook import ConfigParamSchedulerHook

Rates = dict[tuple[int, int], tuple[float, float]]


class Numbers(BaseDataset):
    def load_data_list(self) -> list[dict]:
        return [dict(value=float(i)) for i in range(8)]


class Model(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, value: torch.Tensor, mode: str = 'loss') -> Any:
        return dict(loss=(self.layer(value[:, None].float()) - 1).square().mean())


class Recorder(Hook):
    """Rate and momentum of every step, by its epoch and number in it."""

    def __init__(self) -> None:
        self.found: Rates = {}
        self.said: list[str] = []

    def before_run(self, runner: Runner) -> None:
        runner.logger.info = self.said.append  # type: ignore[method-assign, assignment]

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        group = runner.optim_wrapper.param_groups[0]
        self.found[runner.epoch, batch_idx] = (group['lr'], group['momentum'])


def schedule(kind: str, epochs: int) -> tuple[list[dict], list[dict]]:
    """Schedulers and hooks that fit ``epochs``."""
    by_epoch = dict(by_epoch=True, convert_to_iter_based=True)
    warm_up = dict(type='WarmUpLR', begin=0, end=1, start_factor=0.01, **by_epoch)
    if kind == 'steps':
        return [dict(type='StepLR', step_size=max(1, epochs // 3), gamma=0.1, by_epoch=True)], []
    if kind == 'two stages':
        half = epochs // 2
        cosines = [
            dict(type='CosineAnnealingLR', begin=b, end=e, T_max=e - b, eta_min=1e-6, **by_epoch)
            for b, e in ((1, half), (half, epochs))
        ]
        return [warm_up, *cosines], [dict(type='DPGHook', begin=half, lr=0.03)]
    cosine = dict(type='CosineAnnealingLR', begin=1, T_max=epochs - 1, eta_min=1e-6, **by_epoch)
    momentum = dict(type='LinearMomentum', start_factor=0.5, end=epochs, **by_epoch)
    return [warm_up, cosine, momentum], []


_count = 0


def train(
    work_dir: Path, kind: str, epochs: int, stop: int = 99, resume: Path | None = None, batch: int = 2, lr: float = 0.1
) -> Recorder:
    """A run of a schedule of ``epochs``, ended after ``stop``."""
    global _count
    _count += 1
    schedulers, hooks = schedule(kind, epochs)
    rates = Recorder()
    runner = Runner(
        model=Model(),
        work_dir=str(work_dir),
        train_dataloader=dict(
            batch_size=batch,
            num_workers=0,
            dataset=Numbers(serialize_data=False, pipeline=[lambda item: dict(value=torch.tensor(item['value']))]),
            sampler=dict(type='DefaultSampler', shuffle=True),
            collate_fn=dict(type='default_collate'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=lr, momentum=0.9)),
        param_scheduler=schedulers,
        custom_hooks=[rates, *hooks],
        default_hooks=dict(
            param_scheduler=dict(type='ConfigParamSchedulerHook'),
            checkpoint=dict(type='WholeCheckpointHook', interval=1),
            logger=None,
        ),
        resume=resume is not None,
        load_from=resume and str(resume),
        randomness=dict(seed=0),
        experiment_name=f'schedules_{_count}',
        default_scope='mmpose',
        log_level='INFO',
    )
    end = runner.train_loop.run_epoch if stop < epochs else None
    if end is not None:

        def some() -> None:
            end()
            runner.train_loop.stop_training = runner.epoch >= stop

        runner.train_loop.run_epoch = some
    runner.train()
    return rates


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(mmengine.runner.runner, 'collect_env', dict)
    monkeypatch.setattr(mmengine.runner.runner, 'get_git_hash', str)
    part = SimpleNamespace(switch=lambda on: None)
    monkeypatch.setattr(facealign.engine.dpg_hook, 'find_dpg', lambda dataset: [part])
    yield


def _from(rates: Rates, epoch: int) -> Rates:
    return {step: rate for step, rate in rates.items() if step[0] >= epoch}


@pytest.mark.parametrize('kind', ['cosine', 'steps', 'two stages'])
@pytest.mark.parametrize(('old', 'new', 'done'), [(4, 12, 4), (12, 6, 5), (6, 8, 1), (12, 8, 4), (6, 12, 4)])
def test_a_resumed_run_has_the_rates_of_its_own_schedule(
    tmp_path: Path, kind: str, old: int, new: int, done: int
) -> None:
    train(tmp_path / 'old', kind, old, stop=done)
    found = train(tmp_path / 'new', kind, new, resume=tmp_path / f'old/epoch_{done}.pth')
    expected = train(tmp_path / 'whole', kind, new)
    assert found.found == _from(expected.found, done) and len(found.found) == 4 * (new - done)
    note = [line for line in found.said if 'was another than' in line]
    assert len(note) == 1 and f'of {new} epochs' in note[0] and '\n' not in note[0]


@pytest.mark.parametrize('kind', ['cosine', 'steps', 'two stages'])
def test_the_same_schedule_goes_on_as_it_was_without_a_word(tmp_path: Path, kind: str) -> None:
    expected = train(tmp_path, kind, 6)
    found = train(tmp_path / 'new', kind, 6, resume=tmp_path / 'epoch_3.pth')
    assert found.found == _from(expected.found, 3)
    assert not [line for line in found.said if 'was another than' in line]


def test_another_batch_size_or_rate_too(tmp_path: Path) -> None:
    train(tmp_path, 'cosine', 6, stop=3)
    for settings in (dict(batch=4), dict(lr=0.05)):
        found = train(tmp_path / 'new', 'cosine', 6, resume=tmp_path / 'epoch_3.pth', **settings)  # type: ignore
        assert found.found == _from(train(tmp_path / 'whole', 'cosine', 6, **settings).found, 3)  # type: ignore


def test_other_schedulers_than_the_checkpoints(tmp_path: Path) -> None:
    train(tmp_path, 'steps', 6, stop=3)
    found = train(tmp_path / 'new', 'cosine', 6, resume=tmp_path / 'epoch_3.pth')
    assert found.found == _from(train(tmp_path / 'whole', 'cosine', 6).found, 3)


def test_a_run_that_is_over_says_so(tmp_path: Path) -> None:
    train(tmp_path, 'cosine', 6)
    found = train(tmp_path / 'new', 'cosine', 4, resume=tmp_path / 'epoch_6.pth')
    assert not found.found
    assert [line for line in found.said if line.startswith('6 epochs are done, and train_cfg.max_epochs is 4')]


def test_a_run_that_only_measures_has_no_schedulers() -> None:
    """MMEngine leaves them as the config has them."""
    hook = ConfigParamSchedulerHook()
    for parts in (None, [dict(type='StepLR', step_size=1)], dict(type='StepLR', step_size=1)):
        runner = SimpleNamespace(param_schedulers=parts, _resume=False, optim_wrapper=None)
        hook.before_run(runner)  # type: ignore[arg-type]
        hook.after_load_checkpoint(runner, dict(param_schedulers=[{}]))  # type: ignore[arg-type]
