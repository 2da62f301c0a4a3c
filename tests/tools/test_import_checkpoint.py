"""tools/import_checkpoint.py as a user runs it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


class Trap:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return os.system, (f'touch {self.marker}',)


def run(*arguments: object, **how: Any) -> subprocess.CompletedProcess:
    command = [sys.executable, '-W', 'ignore', 'tools/import_checkpoint.py', *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **how)


def onet(path: Path) -> dict[str, torch.Tensor]:
    """Weights of the reference's ONet, random ones; also written to ``path``."""
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
    torch.save(state, path)
    return state


def test_onet_becomes_a_checkpoint(tmp_path: Path) -> None:
    state = onet(tmp_path / 'onet.pth')
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


def small_files() -> None:
    """A disk with room for files of 100,000 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


@pytest.mark.parametrize('before', [None, b'an older one'])
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, before: bytes | None) -> None:
    onet(tmp_path / 'onet.pth')
    out = tmp_path / 'out.pth'
    if before is not None:
        out.write_bytes(before)
    result = run('visionlabs', tmp_path / 'onet.pth', '--out', out, preexec_fn=small_files)
    assert result.returncode == 2 and result.stderr.count('\n') == 1, result.stderr
    assert result.stderr.startswith(f'error: {out}: cannot be written (')
    assert (out.read_bytes() if out.exists() else None) == before
    assert {path.name for path in tmp_path.iterdir()} <= {'onet.pth', 'out.pth'}
