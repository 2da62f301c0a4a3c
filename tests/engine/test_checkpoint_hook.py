"""Checkpoints under kills at every step of their writing, on a full disk, and whichever is gone on from."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mmengine.runner.runner
import pytest
import torch
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner

import facealign.plugin  # noqa: F401
from facealign.engine.resume import find_checkpoint
from facealign.errors import FaceAlignError

EPOCHS = 4
SCORES = [0.1, 0.3, 0.2, 0.5]  # of the epochs: better, better, worse, better


class Killed(BaseException):
    """A kill -9 as far as files go: nothing that catches errors, or tidies up after them, sees it."""


class Numbers(BaseDataset):
    def load_data_list(self) -> list[dict]:
        return [dict(value=float(i)) for i in range(4)]


class Model(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, value: torch.Tensor, mode: str = 'loss') -> Any:
        loss = (self.layer(value[:, None].float()) - 1).square().mean()
        return dict(loss=loss) if mode == 'loss' else [None] * len(value)


class Score(BaseMetric):
    """The epoch's number of ``SCORES``."""

    runner: Runner

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.append(0)

    def compute_metrics(self, results: list) -> dict:
        return dict(score=SCORES[self.runner.epoch - 1])


_count = 0


def train(work_dir: Path, resume: bool = False, epochs: int = EPOCHS, **hook: Any) -> None:
    global _count
    _count += 1
    found = find_checkpoint(work_dir) if resume else None
    settings = dict(interval=1, max_keep_ckpts=1, save_best='score', rule='greater', **hook)
    loader = dict(
        batch_size=2,
        num_workers=0,
        dataset=Numbers(serialize_data=False, pipeline=[lambda item: dict(value=torch.tensor(item['value']))]),
        collate_fn=dict(type='default_collate'),
    )
    metric = Score()
    runner = Runner(
        model=Model(),
        work_dir=str(work_dir),
        train_dataloader=dict(loader, sampler=dict(type='DefaultSampler', shuffle=True)),
        val_dataloader=dict(loader, sampler=dict(type='DefaultSampler', shuffle=False)),
        val_evaluator=[metric],
        val_cfg=dict(),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-2, momentum=0.9)),
        param_scheduler=[dict(type='CosineAnnealingLR', T_max=EPOCHS, by_epoch=True)],
        custom_hooks=[dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.1, priority=49)],
        default_hooks=dict(checkpoint=dict(type='WholeCheckpointHook', **settings), logger=None),
        resume=found is not None,
        load_from=str(found.path) if found else None,
        randomness=dict(seed=0),
        experiment_name=f'checkpoints_{_count}',
        default_scope='mmpose',
        log_level='ERROR',
    )
    metric.runner = runner
    runner.train()


def files(folder: Path) -> set[str]:
    """The names that matter: not of the configs that MMEngine keeps by the second, nor of half-written files."""
    names = {path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith('.')}
    return {name for name in names if not name.startswith('20')}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors of all checkpoints of a folder."""
    found = {}
    for path in folder.glob('*.pth'):
        checkpoint = torch.load(path, weights_only=True)
        for part in ('state_dict', 'ema_state_dict'):
            found |= {f'{path.name} {part} {key}': value for key, value in checkpoint[part].items()}
        moments = checkpoint.get('optimizer', {'state': {}})['state']
        found |= {f'{path.name} moment {key}': value['momentum_buffer'] for key, value in moments.items()}
    return found


@pytest.fixture(scope='module', autouse=True)
def quick_start() -> Iterator[None]:
    """MMEngine asks the compilers for their versions at every start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mmengine.runner.runner, 'collect_env', dict)
        patch.setattr(mmengine.runner.runner, 'get_git_hash', str)
        yield


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp('whole')
    train(folder)
    assert {name for name in files(folder) if name.endswith('.pth')} == {'epoch_4.pth', 'best_score_epoch_4.pth'}
    return folder


@contextmanager
def killed_at(step: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every change that the run makes to files outside of its log folder, in order; the ``step``-th ends it.

    A write is cut in the middle; nothing after it, not even tidying up, changes a file.
    """
    done: list[str] = []
    dead = False

    def guard(name: str, original: Callable[..., Any], cut: Callable[..., Any] | None = None) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal dead
            if dead:
                raise Killed
            done.append(name)
            if len(done) == step:
                dead = True
                if cut is not None:
                    cut(*args)
                raise Killed
            return original(*args, **kwargs)

        return call

    write = Path.write_bytes
    with monkeypatch.context() as patch:
        half = lambda path, data: write(path, data[: len(data) // 2])  # noqa: E731
        patch.setattr(Path, 'write_bytes', guard('write', write, half))
        patch.setattr(Path, 'unlink', guard('unlink', Path.unlink))
        for name in ('replace', 'fsync'):
            patch.setattr(os, name, guard(name, getattr(os, name)))
        yield done


def _steps(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> int:
    folder = tmp_path_factory.mktemp('steps')
    with killed_at(-1, monkeypatch) as done:
        train(folder)
    return len(done)


def test_a_kill_at_any_step_of_the_writing_loses_nothing(
    whole: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = weights(whole)
    steps = _steps(tmp_path_factory, monkeypatch)
    assert steps > 40
    for step in range(1, steps + 1):
        folder = tmp_path / str(step)
        with killed_at(step, monkeypatch), pytest.raises(Killed):
            train(folder)
        checkpoints = list(folder.glob('epoch_*.pth'))
        assert all(torch.load(path, weights_only=True) for path in checkpoints)  # whole, all of them
        train(folder, resume=True)
        found = weights(folder)
        assert found.keys() == expected.keys(), step
        assert all(torch.equal(found[key], expected[key]) for key in expected), step
        assert (folder / 'last_checkpoint').read_text().endswith('epoch_4.pth')
        assert files(folder) == files(whole), step
        shutil.rmtree(folder)


def test_a_full_disk_keeps_what_was_there_and_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(tmp_path, epochs=2)
    before = files(tmp_path)

    def full(path: Path, data: bytes) -> int:
        with path.open('wb') as file:
            file.write(data[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, 'write_bytes', full)
        with pytest.raises(FaceAlignError, match=r'epoch_3.pth: cannot be written \(No space left') as error:
            train(tmp_path, resume=True)
    assert '\n' not in str(error.value)
    assert files(tmp_path) == before
    found = find_checkpoint(tmp_path)
    assert found is not None and found.path.name == 'epoch_2.pth' and not found.note


def test_only_own_checkpoints_are_removed(tmp_path: Path) -> None:
    """Whatever a checkpoint says of others."""
    other = tmp_path / 'other.pth'
    other.write_text('mine')
    work = tmp_path / 'work'
    train(work, epochs=2)
    checkpoint = torch.load(work / 'epoch_2.pth', weights_only=True)
    checkpoint['message_hub']['runtime_info'].update(best_ckpt=str(other), outdated_checkpoints=[str(other), '/etc/x'])
    torch.save(checkpoint, work / 'epoch_2.pth')
    train(work, resume=True)
    assert other.read_text() == 'mine'


def test_another_networks_checkpoint_is_refused(tmp_path: Path) -> None:
    train(tmp_path, epochs=1)
    checkpoint = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)
    checkpoint['state_dict']['layer.weight'] = torch.zeros(2, 1)
    torch.save(checkpoint, tmp_path / 'epoch_1.pth')
    with pytest.raises(FaceAlignError, match='are not those of this config'):
        train(tmp_path, resume=True)
