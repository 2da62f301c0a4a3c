"""Whether several processes train and measure what one does: ``tools/check_runs.py ddp``."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

import facealign.plugin  # noqa: F401

# Name → config, rate of SGD and precision: a rate so high that weights move by 2e-4, twenty times what may differ, and
# so low that an error of rounding does not grow. FastPose's grows at any such rate, so it runs in float64.
FAMILIES = {
    'yinnet': ('yinnet/yinnet_128_300w.py', 4e-3, torch.float32),
    'onet': ('onet/onet_48_300w.py', 1e-1, torch.float32),
    'resnet18': ('resnet18/resnet18_128_300w.py', 3e-3, torch.float32),
    'fastpose': ('fastpose/fastpose_stage1_256_datatang106.py', 5e-4, torch.float64),
    'lite': ('integral/lite_128_joint.py', 1e-1, torch.float32),
    'lite_marginals': ('integral/lite_128_quick.py', 1e-2, torch.float32),
    'base': ('integral/base_128_joint.py', 1e-1, torch.float32),
    'distilled': ('integral/runs/distilled.py', 1e-1, torch.float32),
}
STEPS, FACES = 4, 40


class FixedNorms(Hook):
    """Batch norms at the statistics of the first training faces, the same ones in every process.

    A norm by the statistics of a batch is another function of a batch of 20
    than of 40; what is to be compared here is everything else.
    """

    priority = 'VERY_LOW'

    def before_train(self, runner: Runner) -> None:
        model = _plain(runner.model)
        norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
        kept = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean
        dataset = runner.train_dataloader.dataset
        faces = [dataset[runner.seed, 0, index] for index in range(0, len(dataset), 2)]
        data = model.data_preprocessor(runner.train_dataloader.collate_fn(faces), True)
        model.train()
        with torch.no_grad():
            model(**data, mode='tensor')
        for norm, momentum in zip(norms, kept):
            norm.momentum = momentum

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        for module in _plain(runner.model).modules():
            if isinstance(module, _BatchNorm):
                module.eval()


class StartingWeights(Hook):
    """Keeps the weights that the first step starts from."""

    priority = 'LOWEST'

    def before_train(self, runner: Runner) -> None:
        self.weights = copy.deepcopy(_plain(runner.model).state_dict())


def train_and_test(configs: Path, name: str, out: Path, reference: Path | None) -> None:
    """Train one family for a few steps of SGD and measure it; rank 0 writes weights, losses and figures.

    Args:
        configs: the repository's folder of configs; drawn faces are where they look for data.
        name: key of ``FAMILIES``.
        out: file; holds ``start`` and ``weights``, ``losses`` (one a step) and ``figures``.
        reference: another such file, with whose weights to measure instead of the own.
    """
    path, rate, precision = FAMILIES[name]
    config = _config(configs / path, rate, out.with_suffix(''))
    torch.set_default_dtype(precision)  # that of new networks
    runner = Runner.from_cfg(config)
    runner.register_hook(FixedNorms())
    first = StartingWeights()
    runner.register_hook(first)
    runner.train()
    model = _plain(runner.model)
    weights = copy.deepcopy(model.state_dict())
    losses = torch.tensor(runner.message_hub.get_scalar('train/loss')._log_history)
    if reference is not None:
        model.load_state_dict(torch.load(reference, weights_only=True)['weights'])
    figures = {key: float(value) for key, value in runner.test().items()}
    if is_main_process():
        torch.save(dict(start=first.weights, weights=weights, losses=losses, figures=figures), out)


def difference(one: Path, several: Path) -> dict[str, float]:
    """Greatest differences between two files of :func:`train_and_test`.

    Returns:
        ``weight``: of a weight; ``loss`` and ``figure``: relative above 1; and
        ``moved``: by how much the weight that moved most has.
    """
    first, second = (torch.load(path, weights_only=True) for path in (one, several))
    figures = [torch.tensor(list(part['figures'].values()), dtype=torch.float64) for part in (first, second)]
    return dict(
        weight=_greatest(first['weights'], second['weights']),
        moved=_greatest(first['weights'], first['start']),
        loss=_relative(first['losses'], second['losses']),
        figure=_relative(*figures),
    )


def _greatest(a: dict, b: dict) -> float:
    return max((a[key].double() - b[key].double()).abs().max().item() for key in a if a[key].is_floating_point())


def _relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return ((a - b).abs() / a.abs().clamp(min=1)).max().item()


def _config(path: Path, rate: float, work_dir: Path) -> Config:
    """The config with plain SGD, one batch of the same faces an epoch, nothing validated or kept."""
    config = Config.fromfile(path)
    processes = get_world_size()
    config.work_dir = str(work_dir)
    config.experiment_name = f'{work_dir.name}_{work_dir.parent.name}'
    config.launcher = 'pytorch' if processes > 1 else 'none'
    config.load_from, config.param_scheduler, config.log_level = None, None, 'ERROR'
    config.optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=rate))
    config.train_cfg = dict(by_epoch=True, max_epochs=STEPS)
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    config.custom_hooks = [dict(type='FastCpuHook')]
    config.default_hooks.checkpoint = None
    config.default_hooks.logger.interval = 10**6
    config.visualizer.vis_backends = []
    loader = config.train_dataloader
    loader.batch_size, loader.num_workers = FACES // processes, 0
    parts = loader.dataset.get('datasets', [loader.dataset])
    for part in parts:
        part.indices = FACES // len(parts)
    config.test_dataloader.batch_size, config.test_dataloader.num_workers = 8 // processes, 0
    config.test_evaluator = dict(type='FaceEvaluator', metrics=[dict(type='FaceAlignmentMetric')], resamples=0)
    if config.model.backbone.type == 'FirstBlockSEResNet':
        _narrow(config)
    return config


def _narrow(config: Config) -> None:
    """FastPose with a tenth of its work: depth 50, a quarter of the channels, crops of 96 pixels."""
    codec = dict(config.codec, input_size=(96, 96), heatmap_size=(24, 24))
    config.model.backbone.update(depth=50, stem_channels=16, base_channels=16)
    config.model.head.update(in_channels=512, decoder=codec)
    for loader in (config.train_dataloader, config.test_dataloader):
        for step in loader.dataset.pipeline:
            if step.type == 'TopdownAffine':
                step.input_size = codec['input_size']
            elif step.type == 'GenerateTarget':
                step.encoder = codec


def _plain(model: nn.Module) -> Any:
    return model.module if is_model_wrapper(model) else model
