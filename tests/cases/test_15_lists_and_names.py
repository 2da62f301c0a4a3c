"""Lists as people have them: of Windows, with quotes and boxes, in Latin-1, with names that begin with ``#``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from facealign.conversion.splits import match_names
from facealign.io.box_table import BoxTable
from facealign.io.name_list import read_name_list

EXPECTED = {
    'win.txt': ['plain.jpg', 'sub dir/a,b;c.jpg'],
    'quoted.txt': ['plain.jpg'],
    'withbox.txt': ['plain.jpg'],
    'bom.txt': ['plain.jpg'],
    'dup.txt': ['plain.jpg'],
    'hash.txt': ['#hash.jpg', 'plain.jpg'],
    'abs.txt': ['plain.jpg'],
    'missing.txt': ['plain.jpg'],
    'latin.txt': [],
}


@pytest.fixture
def case(shared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shared / 'cases' / '15-lists-and-names', tmp_path / 'case'))


@pytest.mark.parametrize('name', EXPECTED)
def test_align(case, run_tool, tmp_path, name) -> None:
    done = run_tool('demo.py', case / name, '--out', tmp_path / 'out', '--detector', 'whole', '--model', 'lite68')
    missing = {'missing.txt': 'missing.jpg', 'latin.txt': 'pläin.jpg'}.get(name)
    assert done.returncode == (1 if missing else 0), done.stderr
    images = json.loads((tmp_path / 'out' / 'landmarks.json').read_text())['images']
    assert [image['file'] for image in images] == EXPECTED[name]
    if missing:
        (line,) = [line for line in done.stderr.splitlines() if line.startswith('failed: ')]
        assert missing in line and 'cannot be read' in line


@pytest.mark.parametrize('name', EXPECTED)
def test_a_split_list_means_the_same_files(case, name) -> None:
    files = ['#hash.jpg', 'plain.jpg', 'sub dir/a,b;c.jpg']
    listed = read_name_list(case / name, files)
    assert sorted(match_names(listed, files)) == sorted(EXPECTED[name])


def test_the_boxes_behind_the_names_can_be_used(case) -> None:
    boxes = BoxTable(case / 'withbox.txt').of_file('/somewhere/plain.jpg')
    assert boxes is not None and boxes[:, :4].tolist() == [[83, 83, 253, 253]]


def test_an_empty_list_is_one_line(case, run_tool) -> None:
    done = run_tool('demo.py', case / 'empty.txt')
    assert done.returncode == 2 and 'an empty list' in done.stderr and done.stderr.count('\n') == 1
