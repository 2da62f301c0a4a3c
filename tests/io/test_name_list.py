from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.errors import FaceAlignError
from facealign.io.name_list import match_names, read_name_list, without_suffix

_name = st.lists(st.sampled_from(['a', 'b', 'B', 'c.jpg']), min_size=1, max_size=3).map('/'.join)


@given(st.lists(_name, max_size=6), st.lists(_name, max_size=6))
def test_a_match_is_an_end_of_the_path_and_never_shared(listed: list[str], files: list[str]) -> None:
    matched = match_names(listed, files)
    for file, entry in matched.items():
        a, b = file.lower().split('/'), entry.lower().split('/')
        shorter = min(len(a), len(b))
        assert a[-shorter:] == b[-shorter:]
        others = [other for other in matched if other.lower() != file.lower() and matched[other] == entry]
        assert not others
    # A name that stands in the list as it is, is found.
    assert all(file in matched for file in files if file in listed)


def test_an_ambiguous_name_is_not_guessed() -> None:
    assert match_names(['1.jpg'], ['a/1.jpg', 'b/1.jpg']) == {}
    assert match_names(['a/1.jpg', 'b/1.jpg'], ['1.jpg']) == {}
    assert match_names(['1.jpg'], ['a/1.jpg', 'a/11.jpg']) == {'a/1.jpg': '1.jpg'}


def test_reading_a_list(tmp_path: Path) -> None:
    path = tmp_path / 'test.txt'
    path.write_bytes('\ufeff# the test faces\r\n\r\n a/1.jpg \r\nb.c.png\r\n'.encode())
    assert read_name_list(path) == ['a/1.jpg', 'b.c.png']
    assert [without_suffix(name) for name in ('a/1.JPG', 'b.c.png', 'face.v2')] == ['a/1', 'b.c', 'face.v2']


@pytest.mark.parametrize(('content', 'message'), [(b'# nothing\n', 'names no image'), (b'\xff\xfe\x00', 'not a text')])
def test_a_useless_list_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / 'test.txt').write_bytes(content)
    with pytest.raises(FaceAlignError, match=message):
        read_name_list(tmp_path / 'test.txt')
    with pytest.raises(FaceAlignError, match='cannot be read'):
        read_name_list(tmp_path / 'absent.txt')
