"""The same kinds of image in every command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from facealign.conversion.readers.pts_folder import read_pts_folder
from facealign.inference.sources import find_sources


@pytest.mark.parametrize('kind', ['pgm', 'gif', 'jfif'])
def test_converted_as_aligned(shared, tmp_path: Path, kind: str) -> None:
    shutil.copytree(shared / 'cases' / '17-folder-oddities' / kind, tmp_path / kind, copy_function=shutil.copyfile)
    faces = read_pts_folder(tmp_path / kind).faces
    assert len(faces) == 1 and faces[0].file_name.endswith(f'.{kind}')
    assert [source.path.name for source in find_sources([str(tmp_path / kind)])] == [Path(faces[0].file_name).name]
