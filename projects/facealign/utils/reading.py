"""Bounded reading of text and JSON that strangers wrote: regular files, of a size and depth that are sane."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Iterator
from typing import Any, NoReturn

MEBIBYTE = 2**20
FARTHEST = 1e6  # pixels, of a point from the image's corner: what is farther is a mistake
MAX_DEPTH = 64  # of lists and objects in a JSON file
_FIRST_READ = 2**16  # of files that do not know their size, such as those of /proc
# A surrogate's escape without its other half. It may also find the text of an escaped backslash, so it is a hint.
_LONE_SURROGATE = re.compile(
    rb'\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]'
)


def read_bytes(path: str | os.PathLike[str], limit: int) -> bytes:
    """A regular file's bytes; a pipe, a device or a file of more than ``limit`` bytes is not read.

    Raises:
        OSError: it cannot be read; ``strerror`` says why, also for those that are refused.
    """
    try:
        with open(path, 'rb', opener=_open_regular) as file:
            # A file that grows while it is read is too large as well.
            bound = max(os.fstat(file.fileno()).st_size, min(limit, _FIRST_READ))
            data = b'' if bound > limit else file.read(bound + 1)
    except ValueError as error:  # the name holds a NUL or half a character
        raise OSError(errno.EINVAL, 'not a name that a file can have', shown(path)) from error
    if bound > limit or len(data) > bound:
        raise _too_large(path, limit)
    return data


def check_regular(path: str | os.PathLike[str], limit: int) -> int:
    """The size of a file that a library will open by its name: a regular one of at most ``limit`` bytes.

    Raises:
        OSError: as :func:`read_bytes`.
    """
    try:
        status = os.stat(path)
    except ValueError as error:
        raise OSError(errno.EINVAL, 'not a name that a file can have', shown(path)) from error
    _refuse_special(status.st_mode, path)
    if status.st_size > limit:
        raise _too_large(path, limit)
    return status.st_size


def read_text(path: str | os.PathLike[str], limit: int) -> str:
    """A file's text, UTF-8 with or without a mark of byte order.

    Raises:
        OSError: as :func:`read_bytes`.
        UnicodeDecodeError: it is not UTF-8.
    """
    return read_bytes(path, limit).decode('utf-8-sig')


def read_json(path: str | os.PathLike[str], limit: int) -> Any:
    """The value in a JSON file.

    Raises:
        OSError: as :func:`read_bytes`.
        ValueError: as :func:`parse_json`.
    """
    return parse_json(read_bytes(path, limit))


def parse_json(data: bytes | str, max_depth: int | None = MAX_DEPTH, allow_nan: bool = False) -> Any:
    """The value of a JSON text, strictly: no NaN and no Infinity, no half characters, nothing nested endlessly.

    Numbers may still be infinite (``1e999``) or of 4,000 digits: :func:`is_number` says which to take.

    Args:
        data: UTF-8, UTF-16 or UTF-32 if it is bytes.
        max_depth: of lists and objects; None leaves it at what the parser bears, without a look at every value.
        allow_nan: take ``NaN`` and ``Infinity``, as programs write them that do not mind the standard.

    Raises:
        ValueError: not such a text; the message says what is wrong.

    >>> parse_json('{"a": [1, NaN]}')
    Traceback (most recent call last):
    ValueError: NaN is no number
    """
    suspect = _may_have_lone_surrogates(data)
    try:
        if isinstance(data, bytes):
            # json.loads would let half characters pass that are not escaped.
            data = data.decode(json.detect_encoding(data))
        value = json.loads(data.removeprefix('\ufeff'), parse_constant=float if allow_nan else _refuse_constant)
        if max_depth is not None or suspect:
            _check_values(value, max_depth)
    except RecursionError:
        raise ValueError('nested too deeply') from None
    return value


def is_number(value: object, farthest: float = FARTHEST) -> bool:
    """Whether a value of a JSON file is a finite number (no truth value) between plus and minus ``farthest``.

    >>> [is_number(value) for value in (1, -2.5, True, '1', 10**400, float('nan'))]
    [True, True, False, False, False, False]
    """
    return type(value) in (int, float) and -farthest <= value <= farthest  # type: ignore[operator]


def shown(value: object, length: int = 40) -> str:
    """A value of a file for a message: one short line of printable ASCII.

    >>> shown('\\x1b[31m' + 'x' * 99, length=12)
    "'\\\\x1b[31m..."
    """
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**length:
        return 'a number of many digits'  # which Python may refuse to print
    if isinstance(value, dict | list):
        return f'a {"list" if isinstance(value, list) else "object"} of {len(value)}'
    if isinstance(value, str):
        value = value[:length]
    elif isinstance(value, os.PathLike):
        value = os.fspath(value)
    text = ascii(value)
    return text if len(text) <= length else f'{text[: length - 3]}...'


def _open_regular(path: str, flags: int) -> int:
    # Without O_NONBLOCK, opening a pipe would wait for its writer.
    descriptor = os.open(path, flags | getattr(os, 'O_NONBLOCK', 0))
    try:
        _refuse_special(os.fstat(descriptor).st_mode, path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_special(mode: int, path: str | os.PathLike[str]) -> None:
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, 'not a regular file', os.fspath(path))


def _too_large(path: str | os.PathLike[str], limit: int) -> OSError:
    return OSError(errno.EFBIG, f'larger than {_spoken(limit)}, which no such file is', os.fspath(path))


def _may_have_lone_surrogates(data: bytes | str) -> bool:
    if isinstance(data, str):
        return '\\u' in data
    return b'\\u' in data and _LONE_SURROGATE.search(data) is not None or b'\0' in data[:4]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f'{name} is no number')


def _check_values(value: Any, max_depth: int | None) -> None:
    """Raise ValueError where strings have half characters or values are nested deeper than ``max_depth``."""
    level: list[Any] = [value]
    depth = 0
    while level:
        if max_depth is not None and depth > max_depth:
            raise ValueError('nested too deeply')
        level = [inner for outer in level for inner in _inside(outer)]
        depth += 1


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, str):
        if not value.isascii():
            _check_string(value)
    elif isinstance(value, dict):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, list):
        yield from (item for item in value if not isinstance(item, float))


def _check_string(value: str) -> None:
    try:
        value.encode('utf-8')
    except UnicodeEncodeError:
        raise ValueError(f'{shown(value)} has half a character (a lone surrogate)') from None


def _spoken(size: int) -> str:
    """
    >>> _spoken(64 * MEBIBYTE), _spoken(2**12)
    ('64 MiB', '4 KiB')
    """
    return f'{size // MEBIBYTE} MiB' if size >= MEBIBYTE else f'{size // 1024} KiB'
