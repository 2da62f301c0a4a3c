"""Text files of a user's own, in whatever encoding his editor or spreadsheet chose."""

from __future__ import annotations

import os

from facealign.errors import FaceAlignError
from facealign.utils.reading import MEBIBYTE, read_bytes

_MAX_BYTES = 256 * MEBIBYTE
_MARKS = {b'\xff\xfe': 'utf-16', b'\xfe\xff': 'utf-16', b'\xef\xbb\xbf': 'utf-8-sig'}


def read_user_file(path: str | os.PathLike[str], what: str) -> bytes:
    """The bytes of a text file; ``what`` names it in messages, such as ``a list of names``.

    Raises:
        FaceAlignError: it cannot be read, is no regular file, too large, or holds binary data.
    """
    try:
        return read_bytes(path, _MAX_BYTES)
    except OSError as error:
        raise FaceAlignError(
            f'{path}: cannot be read as {what} ({error.strerror}); check the name of the file'
        ) from error


def decode_text(data: bytes) -> str:
    """Bytes of a text file → its text: UTF-8, UTF-16 with a mark, or else Windows' Latin-1.

    Raises:
        ValueError: it is no text.

    >>> decode_text('\\ufeffé'.encode('utf-8')), decode_text('é'.encode('latin-1')), decode_text('é'.encode('utf-16'))
    ('é', 'é', 'é')
    """
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), 'utf-8')
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if encoding != 'utf-8':
            raise ValueError('its encoding is damaged') from None
        text = latin(data)
    if '\0' in text:
        raise ValueError('it holds binary data')
    return text


def latin(data: bytes) -> str:
    """Windows' Latin-1, where every byte is some character."""
    try:
        return data.decode('cp1252')
    except UnicodeDecodeError:
        return data.decode('latin-1')
