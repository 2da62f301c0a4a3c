"""tools/check_runs.py as a user runs it: every family on two processes, and a few kills."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from facealign.engine.check_distributed import FAMILIES

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.timeout(900)
def test_two_processes_train_and_measure_as_one(run_tool: Run, tmp_path: Path) -> None:
    summary = tmp_path / 'summary.json'
    done = run_tool('check_runs.py', 'ddp', '--summary', summary, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    moved = {line.split()[0]: float(line.split()[-1]) for line in done.stdout.splitlines()[-len(FAMILIES) :]}
    assert moved.keys() == FAMILIES.keys() and min(moved.values()) >= 20 * 1e-5, done.stdout
    numbers = json.loads(summary.read_text())
    assert numbers['ddp.max_weight_difference'] <= 1e-5, done.stdout
    assert numbers['ddp.max_loss_difference'] <= 1e-5, done.stdout
    assert numbers['ddp.max_figure_difference'] <= 1e-6, done.stdout


@pytest.mark.timeout(900)
def test_kills_lose_nothing(run_tool: Run, tmp_path: Path) -> None:
    summary = tmp_path / 'summary.json'
    counts = ('--train', 3, '--align', 1, '--convert', 1)
    done = run_tool('check_runs.py', 'kill', *counts, '--summary', summary, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(summary.read_text()) == {'kill.kills': 5, 'kill.lost': 0}, done.stdout
