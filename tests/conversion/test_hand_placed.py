"""Points that were not placed by hand become absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facealign.conversion.hand_placed import keep_hand_placed
from facealign.errors import FaceAlignError
from facealign.structures.records import FaceRecord


def _face(name: str) -> FaceRecord:
    points = np.arange(8.0).reshape(4, 2)
    points[3] = np.nan  # not annotated at all
    return FaceRecord(Path('.'), name, points, (9, 9), 'mine', 'train')


def test_zeros_become_absent_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / 'hand_made.csv'
    path.write_text('file,hand_made_of_4\na/1.jpg,0110\n')
    faces = [_face('a/1.jpg'), _face('a/2.jpg')]
    assert keep_hand_placed(faces, path) == 1  # the fourth was absent before
    assert faces[0].annotated.tolist() == [False, True, True, False]
    assert faces[1].annotated.tolist() == [True, True, True, False]
    np.testing.assert_array_equal(faces[0].points[1], [2, 3])


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('file,d\na.jpg,011\n', 'line 2: wants 4 digits'),
        ('file,d\na.jpg,0121\n', 'line 2: wants 4 digits'),
        ('file,d\nb.jpg,0111\n', 'names none of the images'),
        ('file,d,e\na.jpg,0111,1\n', 'has 3 columns'),
        ('d\n0111\n', 'no column image'),
    ],
)
def test_what_is_no_such_table(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / 'hand_made.csv'
    path.write_text(text)
    with pytest.raises(FaceAlignError, match=message) as error:
        keep_hand_placed([_face('a.jpg')], path)
    assert str(error.value).startswith(f'{path}: ') and '\n' not in str(error.value)
