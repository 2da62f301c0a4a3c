"""Errors a user can cause, and how the command lines report them."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable
from typing import Any

# What steers a terminal, ends a line, turns the order of what is read, or is half a character.
_UNPRINTABLE = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]')


_LONGEST, _END = 2400, 1000  # characters of a message, and of each end of one that is longer


def printable(text: str | os.PathLike[str]) -> str:
    r"""``text`` with its control characters escaped, so that a file's name cannot steer a terminal or break a line.

    Bytes of a name that are not UTF-8 become ``\xe9`` and the like.

    >>> print(printable('a\x1b[31m\n\udce9.jpg'))
    a\x1b[31m\x0a\xe9.jpg
    """
    return _UNPRINTABLE.sub(_escaped, os.fspath(text))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # what Python makes of a byte that it cannot decode
        code -= 0xDC00
    return f'\\x{code:02x}' if code < 256 else f'\\u{code:04x}'


class FaceAlignError(Exception):
    """Something the user can put right: one line naming the file and the remedy.

    What a file holds may be quoted in it; of a very long line the middle is left out.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message if len(message) <= _LONGEST else f'{message[:_END]} … {message[-_END:]}')


def run_command(main: Callable[..., Any], *args: Any) -> None:
    """Run a command line's ``main``; a :class:`FaceAlignError` is one line on stderr and status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, io.TextIOWrapper
        ):  # else a name that is not UTF-8 would end the work that it is printed by
            stream.reconfigure(errors='backslashreplace')
    try:
        sys.exit(main(*args))
    except FaceAlignError as error:
        sys.exit(_fail(str(error), 2))
    except KeyboardInterrupt:
        sys.exit(_fail('interrupted', 130))


def _fail(message: str, status: int) -> int:
    print(f'error: {printable(" ".join(message.split()))}', file=sys.stderr)
    return status
