"""``tools/compare_detectors.py`` on a tiny model."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


def test_the_command(
    drawn_data: Path, make_model, tmp_path: Path, run_tool: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    summary = tmp_path / 'summary.json'
    words = ['--model', make_model(), '--detector', 'whole', '--summary', summary]
    done = run_tool('compare_detectors.py', drawn_data / '300w' / 'val.json', *words)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    refused = run_tool('compare_detectors.py', drawn_data / '300w' / 'val.json', *words, '--images', 3)
    assert refused.returncode == 2 and 'leave out --images' in refused.stderr
    numbers = json.loads(summary.read_text())
    assert numbers.keys() == {'tiny.boxes_landmarks.auc08', 'tiny.boxes_whole.auc08'}
    for boxes in ('landmarks', 'whole'):
        row = next(line for line in done.stdout.splitlines() if f' {boxes} ' in line)
        assert float(row.split('│')[3]) == pytest.approx(numbers[f'tiny.boxes_{boxes}.auc08'], abs=1e-4)


def test_missing_data_is_one_line(tmp_path: Path, run_tool: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = run_tool('compare_detectors.py', tmp_path / 'none.json')
    assert done.returncode == 2 and done.stderr.count('\n') == 1 and 'none.json' in done.stderr
