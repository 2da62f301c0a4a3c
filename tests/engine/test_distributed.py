"""Two processes: one network, its averages too, and an end without waiting for each other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import copy, sys, weakref
from functools import partial
import torch
import torch.distributed as dist
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from facealign.engine.distributed import FaceDistributedDataParallel
from facealign.engine.hooks import FastCpuHook, SyncAllBuffersHook
from facealign.engine.launch import leave_processes

MOMENTUM = 0.1


class Pictures(BaseDataset):
    def load_data_list(self):
        return [dict(seed=i) for i in range(12)]


class Net(BaseModel):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.norm = torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2)

    def forward(self, image, mode='loss'):
        found = self.norm(self.conv(image))
        return dict(loss=found[:, 0].square().mean()) if mode == 'loss' else [None] * len(image)


class Nothing(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(nothing=0)


class Watch(Hook):
    priority = 'LOWEST'
    averages = None
    seen = 0

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        norm = runner.model.module.norm
        now = [norm.running_mean.clone(), norm.running_var.clone()]
        if self.averages is None:
            self.averages = now
        else:
            self.averages = [(1 - MOMENTUM) * a + MOMENTUM * b for a, b in zip(self.averages, now)]

    def after_train_epoch(self, runner):
        everywhere = [torch.zeros(2, 2) for _ in range(2)]
        dist.all_gather(everywhere, torch.stack(self.averages))
        assert not torch.allclose(*everywhere)  # processes see different pictures
        self.averages = list(sum(everywhere) / 2)
        source = [torch.zeros(2) for _ in range(2)]
        dist.all_gather(source, runner.model.module.norm.running_mean)
        assert torch.equal(*source)

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        norm = runner.model.module.norm  # EMAHook has put its averages there
        torch.testing.assert_close(norm.running_mean, self.averages[0])
        torch.testing.assert_close(norm.running_var, self.averages[1])
        assert norm.num_batches_tracked.dtype == torch.int64
        self.seen += 1


def loader(batch_size):
    load = lambda item: dict(image=torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(item['seed'])))
    dataset = Pictures(serialize_data=False, pipeline=[load])
    sampler, collate = dict(type='DefaultSampler', shuffle=False), dict(type='default_collate')
    return dict(batch_size=batch_size, num_workers=0, dataset=dataset, sampler=sampler, collate_fn=collate)


def train():
    watch = Watch()
    runner = Runner(
        model=Net(),
        work_dir=sys.argv[1],
        train_dataloader=loader(2),
        val_dataloader=loader(2),
        val_evaluator=[Nothing()],
        val_cfg=dict(),
        train_cfg=dict(by_epoch=True, max_epochs=3),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        custom_hooks=[
            SyncAllBuffersHook(),
            FastCpuHook(),
            dict(type='EMAHook', momentum=MOMENTUM, update_buffers=True, priority=49),
            watch,
        ],
        default_hooks=dict(checkpoint=None, logger=None),
        launcher='pytorch',
        env_cfg=dict(dist_cfg=dict(backend='gloo')),
        cfg=dict(model_wrapper_cfg=dict(type='FaceDistributedDataParallel', broadcast_buffers=False)),
        randomness=dict(seed=0),
        experiment_name='two',
        log_level='ERROR',
    )
    runner.train()
    assert watch.seen == 9
    assert isinstance(runner.model, FaceDistributedDataParallel)
    return weakref.ref(runner.model)


torch.set_num_threads(1)
dist.init_process_group('gloo')
model = train()
destroy = dist.destroy_process_group


def checked():
    assert model() is None  # nothing of it outlives the group
    destroy()


dist.destroy_process_group = checked
leave_processes()
assert not dist.is_initialized()
"""


def test_averages_are_over_all_processes_and_nothing_outlives_them(tmp_path: Path) -> None:
    script = tmp_path / 'run.py'
    script.write_text(SCRIPT)
    launch = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2']
    root = Path(__file__).resolve().parents[2]
    path = os.pathsep.join(part for part in (str(root / 'projects'), os.environ.get('PYTHONPATH')) if part)
    done = subprocess.run(
        [*launch, str(script), str(tmp_path / 'work')],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': path, 'OMP_NUM_THREADS': '1'},
    )
    assert done.returncode == 0, done.stderr[-4000:]
