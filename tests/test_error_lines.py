"""Messages about what stands in files: short, however long that is."""

from __future__ import annotations

import pickle

from facealign.errors import FaceAlignError


def test_of_a_very_long_line_the_middle_is_left_out() -> None:
    text = str(FaceAlignError(f'a.csv: "{"x" * 70_000}" is no name; correct it'))
    assert len(text) < 2500 and text.startswith('a.csv: "xxx') and text.endswith('xxx" is no name; correct it')
    assert str(FaceAlignError('a.csv: no name')) == 'a.csv: no name'


def test_it_crosses_processes() -> None:
    assert str(pickle.loads(pickle.dumps(FaceAlignError('a' * 9000)))) == str(FaceAlignError('a' * 9000))
