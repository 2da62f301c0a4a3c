"""``tools/choose_torch.py``: which torch and torchvision, by invented versions."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parents[2] / 'tools/choose_torch.py'


@pytest.fixture
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location('choose_torch', TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ('installed', 'requirement'),
    [
        ('2.11.0+cu128', 'torch==2.11.0+cu128'),
        ('2.6.0', 'torch==2.6.0'),
        ('2.9.0a0+145a3a7bda.nv25.10', 'torch==2.9.0a0+145a3a7bda.nv25.10'),
        ('3.0.0', 'torch==3.0.0'),
        (None, 'torch==2.13.0'),
        ('2.5.1+cu124', 'torch==2.13.0'),
        ('1.13.1+cu117', 'torch==2.13.0'),
    ],
)
def test_a_torch_that_is_there_is_kept_unless_it_is_too_old(tool: ModuleType, installed: str | None, requirement: str):
    assert tool.torch_requirement(installed) == requirement


@pytest.mark.parametrize(
    ('torch', 'candidates'),
    [
        ('2.6.0+cu124', ['0.21.0', '0.16.2']),
        ('2.7.1', ['0.22.1', '0.16.2']),
        ('2.11.0+cu128', ['0.26.0', '0.16.2']),
        ('2.9.0a0+145a3a7bda.nv25.10', ['0.24.0', '0.16.2']),
        ('2.13.0+cpu', ['0.16.2', '0.28.0']),
        ('3.0.0', ['0.16.2']),
    ],
)
def test_the_published_twin_is_tried_first_beside_an_accelerators_torch(
    tool: ModuleType, torch: str, candidates: list[str]
):
    assert tool.torchvision_candidates(torch) == candidates


class TestInstalling:
    """With pip and the import replaced: ``imports`` says which versions import."""

    def install(self, tool: ModuleType, monkeypatch: pytest.MonkeyPatch, torch: str | None, imports: set[str]):
        tried: list[str] = []

        def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            if 'pip' in command:
                assert '--no-deps' in command
                tried.append(command[-1].removeprefix('torchvision=='))
                return subprocess.CompletedProcess(command, 0)
            there = tried[-1] if tried else 'none'
            return subprocess.CompletedProcess(command, int(there not in imports))

        monkeypatch.setattr(tool, 'installed_torch', lambda: torch)
        monkeypatch.setattr(tool.subprocess, 'run', run)
        tool.install_torchvision()
        return tried

    def test_one_that_imports_is_left_alone(self, tool: ModuleType, monkeypatch: pytest.MonkeyPatch):
        assert self.install(tool, monkeypatch, '2.11.0+cu128', {'none'}) == []

    def test_the_twin_is_enough(self, tool: ModuleType, monkeypatch: pytest.MonkeyPatch):
        assert self.install(tool, monkeypatch, '2.11.0+cu128', {'0.26.0', '0.16.2'}) == ['0.26.0']

    def test_the_fallback_comes_after_a_twin_that_does_not_import(
        self, tool: ModuleType, monkeypatch: pytest.MonkeyPatch
    ):
        assert self.install(tool, monkeypatch, '2.11.0+cu128', {'0.16.2'}) == ['0.26.0', '0.16.2']

    @pytest.mark.parametrize('torch', ['2.11.0', None])
    def test_none_is_one_line(self, tool: ModuleType, monkeypatch: pytest.MonkeyPatch, torch: str | None):
        with pytest.raises(SystemExit, match='^error: .*torch'):
            self.install(tool, monkeypatch, torch, set())


def test_here_the_pair_imports():
    """The environment that runs this test was made by these rules."""
    pytest.importorskip('torch', reason='needs torch')
    asked = subprocess.run([sys.executable, TOOL, 'torch'], capture_output=True, text=True)
    import torch

    assert asked.stdout == f'torch=={torch.__version__}\n'
    assert subprocess.run([sys.executable, TOOL, 'kept']).returncode == 0
    assert subprocess.run([sys.executable, TOOL, 'torchvision'], capture_output=True).stdout == b''
