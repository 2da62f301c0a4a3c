"""``tools/setup_env.sh`` where it cannot do its work: one line, status 2. That it works, every test run shows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the script reads of the repository, without a .venv."""
    folder = tmp_path / 'checkout'
    (folder / 'tools').mkdir(parents=True)
    for name in ('setup_env.sh', 'choose_torch.py'):
        shutil.copy(ROOT / 'tools' / name, folder / 'tools')
    shutil.copytree(ROOT / 'requirements', folder / 'requirements')
    shutil.copy(ROOT / 'setup.py', folder)
    return folder


def set_up(checkout: Path, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith('PIP_')}
    return subprocess.run(
        ['bash', checkout / 'tools/setup_env.sh'],
        capture_output=True,
        text=True,
        env={**kept, 'PYTHON': sys.executable, **env},
        timeout=200,
    )


def fails_with(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode == 2, result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith('error: ')
    for word in words:
        assert word in line


@pytest.mark.parametrize('python', ['no-such-python', '/bin/false'])
def test_a_python_that_does_not_run(checkout: Path, python: str):
    fails_with(set_up(checkout, PYTHON=python), python, '3.10 to 3.12')
    assert not (checkout / '.venv').exists()


def test_a_python_without_venv_names_the_package_to_install(checkout: Path, tmp_path: Path):
    stripped = tmp_path / 'python'
    stripped.write_text(f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexec "{sys.executable}" "$@"\n')
    stripped.chmod(0o755)
    version = f'{sys.version_info.major}.{sys.version_info.minor}'
    fails_with(set_up(checkout, PYTHON=str(stripped)), f'apt install python{version}-venv')


def test_no_network(checkout: Path):
    nowhere = dict(PIP_CONFIG_FILE=os.devnull, PIP_INDEX_URL='http://127.0.0.1:9/simple', PIP_RETRIES='1')
    without_torch = getattr(sys, '_base_executable', sys.executable)
    fails_with(set_up(checkout, PYTHON=without_torch, **nowhere), 'package index', 'network')
    assert not (checkout / '.venv/facealign.stamp').exists()


def test_an_environment_that_is_up_to_date_is_left_alone(checkout: Path):
    """A run that failed leaves no stamp; with the stamp of these very files there is nothing to do."""
    python = checkout / '.venv/bin/python'
    python.parent.mkdir(parents=True)
    python.symlink_to('/bin/false')
    script = (checkout / 'tools/setup_env.sh').read_text()
    wanted = next(line for line in script.splitlines() if line.startswith('wanted='))
    subprocess.run(['bash', '-c', f'{wanted}; echo "$wanted" >.venv/facealign.stamp'], cwd=checkout, check=True)
    result = set_up(checkout)
    assert (result.returncode, result.stdout, result.stderr) == (0, '', '')
    (checkout / 'requirements/test.txt').write_text('# changed\n')
    fails_with(set_up(checkout, PYTHON='no-such-python'), 'no-such-python')
