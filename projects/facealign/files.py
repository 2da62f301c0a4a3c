"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from facealign.errors import FaceAlignError


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary name beside ``path`` that becomes ``path`` when the block ends well.

    It keeps the suffix of ``path``, so that writers which choose a format by
    suffix (Matplotlib, OpenCV) can be given it. Missing parent folders are made.

    Raises:
        FaceAlignError: the folder or the file cannot be written, or the disk
            is full. Nothing is left behind, and an older ``path`` stays as it was.
    """
    path = Path(path)
    temporary = path.with_name(f'.{path.stem}.{os.getpid()}.part{path.suffix}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise FaceAlignError(
            f'{path}: cannot be written ({error.strerror or error}); '
            'check its folder, your permissions and the disk space'
        ) from error
    finally:
        with suppress(OSError):  # the folder itself is missing or locked: the error above says so
            temporary.unlink(missing_ok=True)


def atomic_write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write ``data`` to ``path`` whole or not at all; raises as :func:`atomic_path`."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def atomic_write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write ``text`` as UTF-8 with Unix line ends; raises as :func:`atomic_path`."""
    atomic_write_bytes(path, text.encode('utf-8'))


def atomic_write_json(path: str | os.PathLike[str], value: Any, indent: int | None = None) -> None:
    """Write ``value`` as JSON (strict: no NaN) and a final newline; raises as :func:`atomic_path`."""
    separators = (',', ':') if indent is None else (',', ': ')
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False)
    atomic_write_text(path, text + '\n')


def ensure_writable(folder: str | os.PathLike[str]) -> Path:
    """Make ``folder`` and try a file in it, so that long work does not fail at its end.

    Raises:
        FaceAlignError: nothing can be written there.
    """
    folder = Path(folder)
    probe = folder / f'.facealign.{os.getpid()}.probe'
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b'')
        probe.unlink()
    except OSError as error:
        raise FaceAlignError(
            f'{folder}: cannot be written ({error.strerror or error}); choose another --out'
        ) from error
    return folder
