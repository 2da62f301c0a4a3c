"""Damaged .h5 files: one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from facealign.conversion.readers.datatang_h5 import read_datatang_h5
from facealign.errors import FaceAlignError


@pytest.mark.parametrize('name', ['h5_34.h5', 'h5_41.h5'])
def test_damaged_h5_files_are_one_line(shared: Path, tmp_path: Path, name: str) -> None:
    pytest.importorskip('h5py')
    path = shared / 'cases' / '25-tables' / name
    with pytest.raises(FaceAlignError, match=f'{name}: not an annot_coco.h5') as caught:
        read_datatang_h5(path, tmp_path)
    assert str(caught.value).isprintable()
