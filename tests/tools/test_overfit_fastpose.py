"""tools/overfit_fastpose.py: the narrow twin of FastPose fits 8 faces, in eval mode, decoded between cells."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(900)  # half a minute on an idle core
def test_eight_faces_under_one_percent_of_the_crop(tmp_path: Path) -> None:
    command = [sys.executable, '-W', 'ignore', 'tools/overfit_fastpose.py', '--summary', str(tmp_path / 'summary.json')]
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    summary = json.loads((tmp_path / 'summary.json').read_text())
    assert list(summary) == ['fastpose.overfit.mpd_pct_of_crop']
    assert 0 < summary['fastpose.overfit.mpd_pct_of_crop'] < 1
