"""What the training command costs beside the network itself: ``tools/benchmark.py train``."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner
from mmpose.registry import MODELS


def benchmark_train(config: Config, rounds: int = 8, iterations: int = 15) -> dict[str, float]:
    """Images a second of a config's training, and of a bare PyTorch loop, in turn within one run.

    The first is ``tools/train.py``'s own runner: loading, augmentation, hooks
    and logging included; validation and checkpoints, which come every few
    epochs, left out. The second repeats a batch that lies in memory, ready
    normalised: the same network, precision, memory layout, threads, batch
    size, optimiser and EMA. Each figure is the median of ``rounds`` stretches
    of ``iterations`` steps; one stretch of each goes before, to warm up.

    Returns:
        ``images_per_second``, ``bare_images_per_second`` and their ``ratio``.
    """
    batch_size = config.train_dataloader.batch_size
    turns = _Turns(iterations, rounds + 1)
    with tempfile.TemporaryDirectory() as work_dir:
        config = config.copy()
        config.work_dir = work_dir
        config.experiment_name = config.visualizer.name = Path(work_dir).name  # MMEngine keeps these by name
        config.train_cfg.update(max_epochs=10**6, val_interval=10**6)
        config.default_hooks.checkpoint.update(interval=-1, save_best=None, save_last=False)
        runner = Runner.from_cfg(config)
        runner.register_hook(turns, priority='LOWEST')
        runner.train()
    trained = batch_size * iterations / statistics.median(turns.trained[1:])
    bare = batch_size * iterations / statistics.median(turns.bare[1:])
    ratios = [b / t for t, b in zip(turns.trained[1:], turns.bare[1:])]
    return dict(images_per_second=trained, bare_images_per_second=bare, ratio=statistics.median(ratios))


class _Turns(Hook):
    """Stops the runner's clock after every stretch of steps, and lets the bare loop do as many."""

    def __init__(self, iterations: int, rounds: int) -> None:
        self.iterations, self.rounds = iterations, rounds
        self.trained: list[float] = []
        self.bare: list[float] = []
        self._steps = 0

    def before_train(self, runner: Runner) -> None:
        self._start = time.perf_counter()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self._steps += 1
        if self._steps % self.iterations or len(self.bare) == self.rounds:
            return
        self.trained.append(time.perf_counter() - self._start)
        if not self.bare:
            self._bare_step = bare_step(runner, data_batch)
        start = time.perf_counter()
        for _ in range(self.iterations):
            self._bare_step()
        self.bare.append(time.perf_counter() - start)
        if len(self.bare) == self.rounds:
            runner.train_loop.stop_training = True
        self._start = time.perf_counter()


def bare_step(runner: Runner, data_batch: dict) -> Callable[[], None]:
    """One training step in plain PyTorch on a copy of the runner's network, always with the same batch."""
    config = runner.cfg
    model = MODELS.build(config.model).to(next(runner.model.parameters()).device).train()
    model.to(memory_format=torch.channels_last)
    optimizer = build_optim_wrapper(model, config.optim_wrapper).optimizer
    wanted = [hook for hook in config.custom_hooks if hook.type == 'EMAHook']
    average = None
    if wanted:
        options = {key: value for key, value in wanted[0].items() if key in ('momentum', 'gamma', 'update_buffers')}
        average = MODELS.build(dict(type=wanted[0].get('ema_type', 'ExponentialMovingAverage'), model=model, **options))
    data = runner.model.data_preprocessor(data_batch, training=True)
    images = data['inputs'].contiguous(memory_format=torch.channels_last)
    labels = [sample.gt_instance_labels for sample in data['data_samples']]
    target = torch.cat([label.keypoint_labels for label in labels])
    weights = torch.cat([label.keypoint_weights for label in labels]).unsqueeze(-1)
    half = config.optim_wrapper.type != 'OptimWrapper'

    def step() -> None:
        with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=half):
            predicted = model.head.forward(model.extract_feat(images))
        loss = model.head.loss_module(predicted.float(), target, weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if average is not None:
            average.update_parameters(model)

    return step
