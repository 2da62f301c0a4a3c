"""``tools/benchmark.py evaluate`` as a user calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / 'tools/benchmark.py'


def run(*words):
    return subprocess.run([sys.executable, str(TOOL), *words], capture_output=True, text=True, timeout=120)


def test_figures_are_printed_and_kept(tmp_path):
    (tmp_path / 'summary.json').write_text('{"quickstart.seconds": 300.0}')
    done = run('evaluate', '--faces', '1000', '--summary', str(tmp_path / 'summary.json'))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('1000 faces of datatang106, 1000 resamples: ')
    summary = json.loads((tmp_path / 'summary.json').read_text())
    assert set(summary) == {'evaluate.1k.gib', 'evaluate.1k.seconds', 'quickstart.seconds'}
    assert 0 < summary['evaluate.1k.gib'] < 1


def test_an_unknown_markup_is_refused():
    done = run('evaluate', '--markup', 'coco17')
    assert done.returncode == 2
    assert "invalid choice: 'coco17'" in done.stderr
