"""Box tables with endless numbers, lists in lists and boxes of one side."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

TABLES = ('fileboxes_41.csv', 'fileboxes_80.csv')


@pytest.mark.parametrize('name', TABLES)
def test_a_line_for_each_image_whose_boxes_are_none(shared, run_tool, tmp_path, name) -> None:
    table, photo = shared / 'cases' / '25-tables' / name, shared / 'cases' / '15-lists-and-names' / 'plain.jpg'
    (tmp_path / 'photos' / 'a').mkdir(parents=True)
    for file in ('1.jpg', 'a/1.jpg'):
        shutil.copy(photo, tmp_path / 'photos' / file)
    done = run_tool('demo.py', tmp_path / 'photos', '--detector', f'boxes:{table}', '--model', 'lite68')
    assert 'Traceback' not in done.stderr
    if name == 'fileboxes_41.csv':  # of two images one has a box
        assert done.returncode == 1 and done.stdout.count('\n') == 1 and done.stderr.count('failed: ') == 1
    else:
        assert done.returncode == 2 and done.stderr.count('\n') == 1 and name in done.stderr
    assert list(Path(tmp_path / 'photos').rglob('.*')) == []
