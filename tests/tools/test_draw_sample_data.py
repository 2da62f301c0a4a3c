"""``tools/draw_sample_data.py`` and ``tools/draw_markup.py`` as a user runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2

ROOT = Path(__file__).resolve().parents[2]


def _run(tool: str, *args: object) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(part for part in (str(ROOT / 'projects'), os.environ.get('PYTHONPATH')) if part)
    return subprocess.run(
        [sys.executable, ROOT / 'tools' / f'{tool}.py', *map(str, args)],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': path},
        timeout=200,
    )


def test_draws_what_the_converter_reads(tmp_path: Path) -> None:
    out = tmp_path / 'sample'
    small = ('--num', 24, '--size', 96)
    first = _run('draw_sample_data', '--out', out, *small)
    assert (first.returncode, first.stderr) == (0, '')
    assert first.stdout.startswith('drawn: 24 faces')
    assert _run('draw_sample_data', '--out', out, *small).stdout.startswith('already there: 24 faces')
    converted = _run('convert_dataset', '300w', out / '300w', '--out', tmp_path / 'coco')
    assert (converted.returncode, converted.stderr) == (0, '')
    assert {path.stem for path in (tmp_path / 'coco').glob('*.json')} >= {'train', 'test_common', 'test_challenge'}


def test_user_errors_are_one_line_and_status_2(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    for out, args in ((tmp_path / 'sample', ('--num', 3)), (tmp_path / 'file', ())):
        done = _run('draw_sample_data', '--out', out, *args)
        assert done.returncode == 2
        assert done.stderr.startswith('error: ') and done.stderr.count('\n') == 1


def test_markup_pictures(tmp_path: Path) -> None:
    assert _run('draw_markup', '--out', tmp_path).returncode == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {'markup_ibug68.png', 'markup_lapa106.png', 'markup_datatang106.png', 'sample_faces.png'}
    for name in names:
        assert min(cv2.imread(str(tmp_path / name)).shape[:2]) > 500
