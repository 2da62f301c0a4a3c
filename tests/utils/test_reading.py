"""Reading what strangers wrote: only regular files, of bounded size, and strict JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.utils.reading import is_number, parse_json, read_bytes, read_json, read_text, shown


def test_files_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / 'a'
    for size in (0, 1, 2**17):
        path.write_bytes(b'x' * size)
        assert read_bytes(path, max(size, 1)) == b'x' * size
        assert read_bytes(str(path), 2**30) == b'x' * size
    with pytest.raises(OSError, match='larger than 127 KiB'):
        read_bytes(path, 127 * 1024)


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='this system has no pipes with names')
def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'pipe')
    (tmp_path / 'endless').symlink_to('/dev/zero')
    for name, reason in (('pipe', 'not a regular file'), ('endless', 'not a regular file'), ('.', 'directory')):
        with pytest.raises(OSError, match=reason):
            read_bytes(tmp_path / name, 2**20)
    before = len(os.listdir('/dev/fd'))
    for _ in range(3):
        with pytest.raises(OSError):
            read_bytes(tmp_path, 2**20)
    assert len(os.listdir('/dev/fd')) == before


@pytest.mark.parametrize('name', ['a\0b', 'a\ud800b'])
def test_a_name_that_no_file_has_is_an_os_error(name: str) -> None:
    with pytest.raises(OSError, match='not a name'):
        read_bytes(name, 10)


def test_text_with_and_without_a_mark(tmp_path: Path) -> None:
    (tmp_path / 'a').write_bytes('\ufeffé\r\n'.encode())
    assert read_text(tmp_path / 'a', 100) == 'é\r\n'


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_json, st.booleans(), st.sampled_from(['utf-8', 'utf-8-sig', 'utf-16', 'utf-32']))
def test_what_the_standard_library_writes_is_read(value: Any, escaped: bool, encoding: str) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=escaped).encode(encoding)) == value


@given(st.text(st.characters(), min_size=1))
def test_half_characters_are_refused_wherever_they_are(text: str) -> None:
    """The oracle is Python's own UTF-8 encoder."""
    for data in (json.dumps([{'a': text}]), json.dumps({text: 1})):
        try:
            text.encode()
        except UnicodeEncodeError:
            with pytest.raises(ValueError, match='half a character'):
                parse_json(data.encode())
        else:
            parse_json(data.encode())


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        (b'', 'Expecting value'),
        (b'[1, NaN]', 'NaN is no number'),
        (b'-Infinity', '-Infinity is no number'),
        (b'[' * 100_000, 'nested too deeply'),
        (b'[' * 65 + b'1' + b']' * 65, 'nested too deeply'),
        (b'{"a":' * 65 + b'1' + b'}' * 65, 'nested too deeply'),
        (b'["\\ud83d"]', 'half a character'),
        (b'["\\ude00\\ud83d"]', 'half a character'),
        (b'["\xed\xa0\xbd"]', "can't decode"),
        (b'9' * 5000, 'digits'),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_refused(tmp_path: Path, text: bytes, reason: str) -> None:
    (tmp_path / 'a').write_bytes(text)
    with pytest.raises(ValueError, match=reason):
        read_json(tmp_path / 'a', 2**20)


def test_what_only_looks_like_it_is_read() -> None:
    assert parse_json(rb'["\\ud800", "\ud83d\ude00", "[[[", {"a": 1, "a": 2}]') == [r'\ud800', '😀', '[[[', {'a': 2}]
    deep = b'[' * 64 + b'1' + b']' * 64
    assert parse_json(deep) == parse_json(deep.decode()) == json.loads(deep)


def test_numbers_that_can_be_used() -> None:
    assert [is_number(value) for value in (0, -1e6, 1e6)] == [True] * 3
    assert not any(
        is_number(value) for value in (False, None, '1', [1], 1e6 + 1, float('inf'), float('nan'), -(10**999))
    )


@given(_json)
def test_values_in_messages_are_short_lines_of_ascii(value: Any) -> None:
    text = shown(value)
    assert text.isascii() and text.isprintable() and len(text) <= 40


def test_many_digits_are_not_printed() -> None:
    assert shown(10**5000) == shown(-(10**40)) == 'a number of many digits'
