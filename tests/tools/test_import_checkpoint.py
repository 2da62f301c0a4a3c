"""tools/import_checkpoint.py as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]


class Trap:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return os.system, (f'touch {self.marker}',)


def run(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, '-W', 'ignore', 'tools/import_checkpoint.py', *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_onet_becomes_a_checkpoint(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = {
        'conv1': (32, 3, 3, 3),
        'conv2': (64, 32, 3, 3),
        'conv3': (64, 64, 3, 3),
        'conv4': (128, 64, 2, 2),
        'fc1': (256, 1152),
        'fc2': (136, 256),
    }
    state = {}
    for name, shape in shapes.items():
        state[f'{name}.weight'] = torch.randn(shape, generator=generator)
        state[f'{name}.bias'] = torch.randn(shape[0], generator=generator)
    torch.save(state, tmp_path / 'onet.pth')
    result = run('visionlabs', tmp_path / 'onet.pth')
    assert result.returncode == 0, result.stderr
    assert 'configs/onet/' in result.stdout
    written = torch.load(tmp_path / 'onet.facealign.pth', weights_only=True)['state_dict']
    assert len(written) == 12
    assert torch.equal(written['head.fc.weight'], state['fc2.weight'])
    assert torch.equal(written['backbone.fc1.bias'], state['fc1.bias'])


def test_a_hostile_file_is_one_line(tmp_path: Path) -> None:
    torch.save(dict(weights=torch.zeros(2), trap=Trap(tmp_path / 'ran')), tmp_path / 'x.pkl')
    result = run('datatang106', tmp_path / 'x.pkl')
    assert result.returncode == 2 and result.stderr.count('\n') == 1, result.stderr
    assert result.stderr.startswith(f'error: {tmp_path / "x.pkl"}: not a checkpoint of weights alone')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['x.pkl']
