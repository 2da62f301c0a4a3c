"""DPGHook in MMEngine's own runner: the switch, the rate, resuming, loader processes that live on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner

import facealign.plugin  # noqa: F401
from facealign.datasets.dpg import DPG
from facealign.engine.dpg_hook import DPGHook, find_dpg
from facealign.errors import FaceAlignError

BOX = np.array([[10.0, 10, 30, 30]], np.float32)


class Faces(BaseDataset):
    """Eight faces with the same box; a sample is the box that training sees."""

    def load_data_list(self) -> list[dict]:
        return [dict(bbox=BOX, keypoints=np.zeros((1, 1, 2), np.float32)) for _ in range(8)]


def box_of(results: dict) -> dict:
    return dict(boxes=torch.from_numpy(results['bbox'][0].copy()))


class Model(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
        self.extra = torch.nn.Linear(1, 1)

    def forward(self, boxes: torch.Tensor, mode: str = 'loss') -> dict:
        return dict(loss=self.extra(self.layer(boxes)).square().mean())


class Record(Hook):
    """Rates of both groups, and whether boxes moved, for each step."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, float, float, bool]] = []

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        moved = bool((data_batch['boxes'] != torch.from_numpy(BOX)).any())
        rates = [group['lr'] for group in runner.optim_wrapper.optimizer.param_groups]
        self.steps.append((runner.epoch, rates[0], rates[-1], moved))


def train(
    work_dir: Path, epochs: int, workers: int = 0, resume: bool = False, pipeline: list | None = None
) -> list[tuple]:
    record = Record()
    faces = Faces(pipeline=pipeline if pipeline is not None else [DPG(part_prob=0, patch_prob=0), box_of])
    cosine = dict(type='CosineAnnealingLR', by_epoch=True)
    Runner(
        model=Model(),
        work_dir=str(work_dir),
        train_dataloader=dict(
            batch_size=4,
            num_workers=workers,
            persistent_workers=workers > 0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=faces,
            collate_fn=dict(type='default_collate'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(
            optimizer=dict(type='SGD', lr=1e-3), paramwise_cfg=dict(custom_keys=dict(extra=dict(lr_mult=0.1)))
        ),
        param_scheduler=[dict(cosine, begin=0, end=3, T_max=3), dict(cosine, begin=3, end=6, T_max=3)],
        custom_hooks=[DPGHook(begin=3, lr=5e-4), record],
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1)),
        resume=resume,
        experiment_name=f'dpg_{work_dir.name}_{epochs}_{workers}_{resume}',
        default_scope='mmpose',
        log_level='ERROR',
    ).train()
    return record.steps


@pytest.mark.parametrize('workers', [0, 2])
def test_switch_and_rate(tmp_path: Path, workers: int) -> None:
    steps = train(tmp_path, 6, workers)
    assert [moved for _, _, _, moved in steps] == [epoch >= 3 for epoch in range(6) for _ in range(2)]
    by_epoch = [rate for _, rate, _, _ in steps[::2]]
    falling = [(1 + np.cos(np.pi * epoch / 3)) / 2 for epoch in range(3)]
    assert by_epoch == pytest.approx([1e-3 * share for share in falling] + [5e-4 * share for share in falling])
    assert [0.1 * rate for _, rate, _, _ in steps] == pytest.approx([slow for _, _, slow, _ in steps])


@pytest.mark.parametrize('stop', [2, 3, 4])
def test_a_resumed_run_goes_on_as_if_never_stopped(tmp_path: Path, stop: int) -> None:
    whole = train(tmp_path / 'whole', 6)
    first = train(tmp_path / 'cut', stop)
    rest = train(tmp_path / 'cut', 6, resume=True)
    assert [step[0] for step in rest] == [epoch for epoch in range(stop, 6) for _ in range(2)]
    for ours, theirs in zip(first + rest, whole, strict=True):
        assert ours == pytest.approx(theirs)


def test_a_pipeline_without_dpg_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FaceAlignError, match='has no DPG'):
        train(tmp_path, 1, pipeline=[box_of])


def test_finds_dpg_in_wrapped_datasets() -> None:
    dpgs = [DPG(), DPG()]
    sets = [Faces(pipeline=[dpg, box_of]) for dpg in dpgs]
    assert list(find_dpg(ConcatDataset(sets))) == dpgs
    assert list(find_dpg(RepeatDataset(sets[0], 2))) == dpgs[:1]
