"""Pictures of every kind beside each other: each is read, or named with its reason."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# As if a package were not installed, in the program that is started.
WITHOUT = 'import sys; sys.modules[{!r}] = None; sys.argv[0] = "facealign"; from facealign.cli import main; main()'


def align(folder: Path, model: Path, out: Path, without: str = 'nothing') -> subprocess.CompletedProcess[str]:
    words = ['align', folder, '--out', out, '--model', model, '--detector', 'whole']
    return subprocess.run(
        [sys.executable, '-c', WITHOUT.format(without), *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT / 'projects'), 'OMP_NUM_THREADS': '1', 'FACEALIGN_YUNET': ''},
        timeout=120,
    )


@pytest.fixture
def folder(shared: Path, tmp_path: Path) -> Path:
    folder = tmp_path / 'photos'
    folder.mkdir()
    for file in (shared / 'cases' / '02-silently-skipped').iterdir():
        if file.name != 'cmd':
            shutil.copyfile(file, folder / file.name)
    return folder


def named(out: Path) -> list[str]:
    return [image['file'] for image in json.loads((out / 'landmarks.json').read_text())['images']]


def failures(out: Path) -> dict[str, str]:
    with open(out / 'failures.csv', newline='', encoding='utf-8') as file:
        return {Path(row['file']).name: row['reason'] for row in csv.DictReader(file)}


def test_every_picture_is_read(folder, make_model, tmp_path) -> None:
    pytest.importorskip('pillow_heif')
    done = align(folder, make_model('fixed'), tmp_path / 'out')
    assert done.returncode == 0, done.stderr
    assert {Path(name).name for name in named(tmp_path / 'out')} == {file.name for file in folder.iterdir()}


def test_heic_is_named_where_nothing_reads_it(folder, make_model, tmp_path) -> None:
    done = align(folder, make_model('fixed'), tmp_path / 'out', without='pillow_heif')
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    reasons = failures(tmp_path / 'out')
    assert list(reasons) == ['iphone.heic'] and 'facealign[heif]' in reasons['iphone.heic']
    assert len(named(tmp_path / 'out')) == 4


def test_kinds_that_are_never_read_are_named_too(folder, make_model, tmp_path) -> None:
    for file in folder.iterdir():
        file.unlink()
    beginnings = {'a.jp2': b'\0\0\0\x0cjP  \r\n\x87\n', 'b.psd': b'8BPS', 'c.dng': b'II*\0', 'd.tga': b'\0\0\2\0'}
    for name, start in beginnings.items():
        (folder / name).write_bytes(start + bytes(100))
    done = align(folder, make_model('fixed'), tmp_path / 'out')
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert sorted(failures(tmp_path / 'out')) == sorted(beginnings)
    assert len(done.stderr.splitlines()) == len(beginnings) + 1
