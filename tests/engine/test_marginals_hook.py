"""The loss of the maps' marginals ends when it should."""

from __future__ import annotations

from types import SimpleNamespace

import facealign.plugin  # noqa: F401
from facealign.engine.marginals_hook import MarginalsUntilHook


def _runner(epochs_done: int) -> SimpleNamespace:
    return SimpleNamespace(epoch=epochs_done, model=SimpleNamespace(head=SimpleNamespace(marginals=1.0)))


def test_ends_after_its_last_epoch() -> None:
    hook, runner = MarginalsUntilHook(epoch=2), _runner(0)
    weights = []
    for runner.epoch in range(4):
        hook.before_train_epoch(runner)
        weights.append(runner.model.head.marginals)
    assert weights == [1.0, 1.0, 0, 0]


def test_a_training_resumed_after_it_goes_on_without() -> None:
    runner = _runner(3)  # a new process has built the head with the config's weight
    MarginalsUntilHook(epoch=2).before_train_epoch(runner)
    assert runner.model.head.marginals == 0
