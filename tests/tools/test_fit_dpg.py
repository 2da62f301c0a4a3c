"""tools/fit_dpg.py on the detector boxes of real faces."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)


def test_real_boxes_of_dlibs_hog(shared: Path, tmp_path: Path) -> None:
    source = shared / 'data/300w'
    converted = run(
        'tools/convert_dataset.py',
        '300w',
        source,
        '--out',
        tmp_path,
        '--split',
        f'csv:{source / "visionlabs_split.csv"}',
    )
    assert converted.returncode == 0, converted.stderr
    result = run('tools/fit_dpg.py', tmp_path / 'train.json', '--out', tmp_path / 'dpg_hog.py')
    assert result.returncode == 0, result.stderr
    assert '2067 boxes' in result.stdout and '0 faces without' in result.stdout
    sides = Config.fromfile(tmp_path / 'dpg_hog.py').dpg_sides
    left, top, right, bottom = sides.side_mean
    # dlib's boxes reach above the brows, and not down to the chin.
    assert -0.2 < top < -0.05 and -0.1 < bottom < -0.03 and abs(left + right) < 0.1
    assert all(0.05 < deviation < 0.15 for deviation in sides.side_std)


def test_missing_file_is_one_line(tmp_path: Path) -> None:
    result = run('tools/fit_dpg.py', tmp_path / 'none.json')
    assert result.returncode == 2 and result.stderr.count('\n') == 1
    assert result.stderr.startswith('error: ') and 'convert_dataset.py' in result.stderr
