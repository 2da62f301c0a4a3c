"""Every config of the repository: built, trained for a step and tested, on drawn faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import MODELS

import facealign.plugin  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted(
    path.relative_to(ROOT / 'configs').as_posix()
    for path in (ROOT / 'configs').rglob('*.py')
    if '_base_' not in path.parts
)


class _OneEpoch(Hook):
    """Ends training after the first epoch, which here is a step or three; the config's schedule stays whole."""

    def after_train_epoch(self, runner: Runner) -> None:
        runner.train_loop.stop_training = True


@pytest.fixture(scope='module')
def resnet18_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a user's ImageNet file looks like: torchvision's names, random numbers."""
    from torchvision.models import resnet18

    path = tmp_path_factory.mktemp('weights') / 'resnet18.pth'
    torch.save(resnet18().state_dict(), path)
    return path


def _targets(node: object) -> list[dict]:
    """The codecs of every ``GenerateTarget`` step below a part of a config."""
    if isinstance(node, dict):
        own = [node['encoder']] if node.get('type') == 'GenerateTarget' else []
        return own + [codec for value in node.values() for codec in _targets(value)]
    return [codec for value in node for codec in _targets(value)] if isinstance(node, (list, tuple)) else []


@pytest.mark.parametrize('name', CONFIGS)
def test_training_and_prediction_use_one_codec(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('FACEALIGN_RESNET18', 'resnet18.pth')
    config = Config.fromfile(ROOT / 'configs' / name)
    targets = _targets(config.train_dataloader.dataset.to_dict())
    assert targets
    assert all(codec == config.model.head.decoder.to_dict() for codec in targets)


@pytest.mark.parametrize(
    'name', [name for name in CONFIGS if "\nload_from = '" in (ROOT / 'configs' / name).read_text()]
)
def test_network_is_that_of_the_weights_it_starts_from(name: str) -> None:
    """MMEngine loads what fits and only warns of the rest."""
    init_default_scope('mmpose')
    config = Config.fromfile(ROOT / 'configs' / name)
    if Path(config.load_from).parts[0] == 'work_dirs':  # another config's training: this one is made from it
        first = Config.fromfile(ROOT / 'configs' / Path(name).with_name(f'{Path(config.load_from).parts[1]}.py'))
        weights = MODELS.build(first.model).state_dict()
    else:
        weights = torch.load(ROOT / config.load_from, weights_only=True)['state_dict']
    network = MODELS.build(config.model).state_dict()
    assert {key: value.shape for key, value in weights.items()} == {key: value.shape for key, value in network.items()}


@pytest.mark.parametrize('name', CONFIGS)
def test_config_trains_and_tests(
    name: str, drawn_data: Path, resnet18_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('FACEALIGN_DATA', str(drawn_data))
    monkeypatch.setenv('FACEALIGN_RESNET18', str(resnet18_weights))
    torch.set_num_threads(1)
    config = Config.fromfile(ROOT / 'configs' / name)
    faces = 'train_dataloader.dataset'
    parts = [f'{faces}.datasets.{i}' for i in range(len(config.train_dataloader.dataset.get('datasets', [])))]
    config.merge_from_dict(
        {
            'work_dir': str(tmp_path),
            'experiment_name': f'{name.replace("/", "_")}_{tmp_path.name}',
            'train_dataloader.batch_size': 2,
            'train_dataloader.num_workers': 0,
            'train_dataloader.persistent_workers': False,
            **{f'{part}.indices': max(1, 2 // len(parts or [faces])) for part in parts or [faces]},
            'train_cfg.val_interval': 1,
            **({'val_dataloader.dataset.indices': 1} if config.val_dataloader else {}),
            'test_dataloader.dataset.indices': 2,
            'test_evaluator.resamples': 10,
            'default_hooks.checkpoint.interval': -1,
            'default_hooks.checkpoint.save_last': False,
            'default_hooks.checkpoint.save_best': None,
            'load_from': None,
            'vis_backends': [],
            'visualizer.vis_backends': [],
        },
        allow_list_keys=True,
    )
    runner = Runner.from_cfg(config)
    runner.register_hook(_OneEpoch())
    before = {key: value.clone() for key, value in runner.model.state_dict().items() if value.is_floating_point()}
    runner.train()
    after = runner.model.state_dict()
    assert all(torch.isfinite(value).all() for key, value in after.items() if key in before)
    assert any(not torch.equal(value, after[key]) for key, value in before.items())
    metrics = runner.test()
    assert 0 <= metrics['auc@0.08'] <= 1
    assert np.isfinite(metrics['nme_landmark_bbox'])
    assert (tmp_path / 'results.json').is_file()
    MMLogger._instance_dict.clear()
