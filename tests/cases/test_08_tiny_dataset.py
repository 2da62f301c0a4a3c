"""Five faces, and one epoch: schedules follow ``train_cfg.max_epochs``."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope='module')
def data(shared: Path, run_tool: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('tiny')
    done = run_tool(
        'convert_dataset.py',
        'pts',
        shared / 'cases/08-tiny-dataset',
        '--out',
        folder / '300w',
        '--crop',
        '--crop-face',
        160,
    )
    assert done.returncode == 0, done.stderr
    shutil.copy(folder / '300w/val.json', folder / '300w/test.json')
    assert len(json.loads((folder / '300w/fit.json').read_text())['annotations']) < 5
    return folder


@pytest.mark.parametrize('epochs', [1, 2])
def test_it_trains_at_the_full_rate(data: Path, run_tool: Run, tmp_path: Path, epochs: int) -> None:
    config = ROOT / 'configs/yinnet/yinnet_128_300w.py'
    options = ('--cfg-options', f'train_cfg.max_epochs={epochs}', 'default_hooks.logger.interval=1')
    done = run_tool('train.py', config, '--work-dir', tmp_path, *options, FACEALIGN_DATA=str(data))
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for path in tmp_path.rglob('scalars.json') for line in path.read_text().splitlines()]
    rates = [line['lr'] for line in lines if 'lr' in line]
    assert len(rates) == epochs and max(rates) == pytest.approx(1e-3)
    assert torch.load(tmp_path / f'epoch_{epochs}.pth', weights_only=False)['meta']['epoch'] == epochs
