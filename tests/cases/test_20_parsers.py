"""Odd numbers, long lines and half characters: one line for the file, and the rest of the conversion goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from facealign.conversion.convert import Options, convert
from facealign.conversion.readers.datatang import read_datatang
from facealign.conversion.readers.pts_folder import read_pts_folder
from facealign.synthetic.write import Sample, draw_sample

FORMATS = {'.pts': ('pts', '300w', read_pts_folder), '.json': ('datatang', 'datatang106', read_datatang)}


@pytest.mark.parametrize(
    ('name', 'reason', 'detail'),
    [
        ('overflow.pts', 'unreadable .pts', 'line 4: "1e1000000" is farther away than any pixel'),
        ('spaces.pts', 'empty .pts', 'holds no points'),
        ('bigint.json', 'incomplete JSON', 'is farther away than any pixel'),
        ('surrogate_attr.json', 'unreadable JSON', 'half a character (a lone surrogate)'),
    ],
)
def test_one_line_for_the_file_and_the_rest_goes_on(
    shared: Path, tmp_path: Path, name: str, reason: str, detail: str
) -> None:
    kind, folder, read = FORMATS[Path(name).suffix]
    draw_sample(tmp_path / 'drawn', Sample(num=12, size=128), workers=1)
    source = tmp_path / 'drawn' / folder
    odd, *others = sorted(source.rglob(f'*{Path(name).suffix}'))
    shutil.copyfile(shared / 'cases' / '20-parsers' / name, odd)

    gathered = read(source)
    assert len(gathered.faces) == len(others) > 5
    (left,) = gathered.left_out
    assert (left.file, left.reason) == (odd.relative_to(source).as_posix(), reason)
    assert detail in left.detail and left.detail.isprintable()

    convert(kind, source, tmp_path / 'out', Options(val=None, workers=1))
    assert json.loads((tmp_path / 'out/summary.json').read_bytes())['left_out'][reason]
