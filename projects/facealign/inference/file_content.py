"""Whether a file is still what it was: its times, and a digest of its bytes."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Content:
    """What was in a file when it was read.

    Attributes:
        state: size, times and number of the file; as long as they stay, it is not read again. Empty where unknown.
        digest: of its bytes.
    """

    state: str
    digest: bytes = b''


def file_state(path: Path) -> str:
    """Size, times and number of a regular file; empty for all else, and for what is not there."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return ''
    if not stat.S_ISREG(found.st_mode):
        return ''
    return f'{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino} {found.st_dev}'


def content_of(path: Path, state: str) -> Content:
    """What was in a file while its :func:`file_state` was ``state``: unknown where it has changed since."""
    digest = hashlib.sha256()
    if not state:
        return Content('')
    try:
        with open(path, 'rb') as file:
            while part := file.read(1 << 20):
                digest.update(part)
    except OSError:
        return Content('')
    return Content(state, digest.digest()) if file_state(path) == state else Content('')


def digest_of_files(paths: Iterable[str | os.PathLike[str]]) -> str:
    """One digest of all files' bytes; those that are missing do not count."""
    digest = hashlib.sha256()
    for path in map(Path, paths):
        digest.update(content_of(path, file_state(path)).digest)
    return digest.hexdigest()
