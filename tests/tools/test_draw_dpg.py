"""tools/draw_dpg.py: the picture of the docs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, '-W', 'ignore', 'tools/draw_dpg.py', *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_picture(tmp_path: Path) -> None:
    result = run(tmp_path / 'dpg.png', '--faces', 1, '--dpg', 'configs/_base_/dpg.py')
    assert result.returncode == 0, result.stderr
    picture = cv2.imread(str(tmp_path / 'dpg.png'))
    assert picture.shape[1] == 900
    blue = (picture == (255, 191, 0)).all(axis=2)  # the moved boxes, in the face's picture alone
    assert blue[:, :230].sum() > 200 and blue[:, 230:].sum() < 20
    assert np.ptp(picture) == 255


def test_missing_constants_are_one_line(tmp_path: Path) -> None:
    result = run(tmp_path / 'dpg.png', '--dpg', tmp_path / 'none.py')
    assert result.returncode == 2 and result.stderr.startswith('error: ') and result.stderr.count('\n') == 1
    assert not (tmp_path / 'dpg.png').exists()
