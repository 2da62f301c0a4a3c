"""A regressor's last layer set to the mean of its training targets."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

import facealign.plugin  # noqa: F401
from facealign.engine.mean_shape_hook import MeanShapeHook

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def runner(drawn_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    monkeypatch.setenv('FACEALIGN_DATA', str(drawn_data))
    config = Config.fromfile(ROOT / 'configs/onet/onet_48_300w.py')
    config.merge_from_dict(dict(work_dir=str(tmp_path), experiment_name=tmp_path.name, visualizer=None))
    return Runner.from_cfg(config)


def _labels(runner: Runner, indices: range) -> torch.Tensor:
    faces = runner.train_dataloader.dataset
    return torch.cat([faces[runner.seed, 0, i]['data_samples'].gt_instance_labels.keypoint_labels for i in indices])


def test_bias_is_the_mean_of_the_training_targets(runner: Runner) -> None:
    runner._train_dataloader = runner.build_dataloader(runner._train_dataloader)
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    faces = len(runner.train_dataloader.dataset)
    MeanShapeHook(faces=faces).before_train(runner)
    torch.testing.assert_close(runner.model.head.fc.bias.view(-1, 2), _labels(runner, range(faces)).mean(0))
    MeanShapeHook(faces=faces // 2).before_train(runner)
    torch.testing.assert_close(runner.model.head.fc.bias.view(-1, 2), _labels(runner, range(0, faces, 2)).mean(0))


def test_loaded_weights_stay(runner: Runner) -> None:
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    before = runner.model.head.fc.bias.clone()
    runner.cfg.load_from = 'some.pth'
    MeanShapeHook().before_train(runner)
    runner.cfg.load_from = None
    runner.train_loop._iter = 1  # as after --resume
    MeanShapeHook().before_train(runner)
    torch.testing.assert_close(runner.model.head.fc.bias, before)
