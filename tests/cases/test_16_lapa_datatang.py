from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from facealign.conversion.convert import Options, convert


@pytest.fixture(scope='module')
def lapa(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp('lapa')
    return convert('lapa', shared / 'cases/16-lapa-datatang/LaPa', out, Options(val=None, workers=1))


def test_a_byte_order_mark_commas_and_a_missing_count_are_read(lapa: dict[str, Any]) -> None:
    assert lapa['kept']['faces'] == 7
    assert lapa['left_out'] == {
        'not 106 points': {
            'count': 1,
            'files': ['train/landmarks/000005.txt'],
            'details': {'train/landmarks/000005.txt': '106 on the first line, 107 points'},
        }
    }


def test_mirrored_and_displaced_points_are_named_as_doubtful(lapa: dict[str, Any]) -> None:
    assert lapa['doubtful'] == [
        ['train/images/000007.jpg', 'left and right points changed places'],
        ['train/images/000008.jpg', '64 of 106 points off the image'],
    ]
