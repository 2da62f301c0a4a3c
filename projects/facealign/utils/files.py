"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from facealign.errors import FaceAlignError, printable

_MAX_NAME = 255  # bytes of a file's name on most file systems
_PARTIAL = re.compile(r'\.(?:.*\.(?P<writer>\d+)\.part(?:\.[^.]*)?|facealign\.(?P<probe>\d+)\.probe)')
_A_DAY = 24 * 60 * 60


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
    temporary = partial_name(path)
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


def partial_name(path: Path) -> Path:
    """The temporary name beside ``path`` while this process writes it; :func:`sweep_partial` knows it."""
    end = f'.{os.getpid()}.part{path.suffix}'
    stem = os.fsencode(path.stem)
    if len(stem) + len(os.fsencode(end)) >= _MAX_NAME:
        digest = hashlib.blake2b(stem, digest_size=8).hexdigest()
        return path.with_name(f'.{digest}{end if len(end) < 100 else f".{os.getpid()}.part"}')
    return path.with_name(f'.{path.stem}{end}')


def sweep_partial(folder: str | os.PathLike[str], below: bool = True) -> None:
    """Remove what killed processes left half-written in ``folder`` (and, with ``below``, in its sub-folders)."""
    for where, folders, names in os.walk(folder):
        if not below:
            folders.clear()
        for name in names:
            match = _PARTIAL.fullmatch(name)
            if match and _is_left(os.path.join(where, name), int(match['writer'] or match['probe'])):
                with suppress(OSError):
                    os.unlink(os.path.join(where, name))


def _is_left(path: str, process: int) -> bool:
    """Whether nobody writes ``path`` any more: its process has ended, or it has not been touched for a day."""
    if process == os.getpid():
        return True  # of an earlier process of this number: this one has not begun
    try:
        if time.time() - os.lstat(path).st_mtime > _A_DAY:
            return True
        if os.name == 'nt':
            return False  # there, os.kill would end it
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # another user's process; gone already; no number of a process
        return False
    return False


def atomic_write_bytes(path: str | os.PathLike[str], data: bytes, sync: bool = False) -> None:
    """Write ``data`` to ``path`` whole or not at all; raises as :func:`atomic_path`.

    With ``sync`` it is on the disk before it bears its name: whole after a power cut, too.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
        if sync:
            _sync(temporary)
    if sync and os.name == 'posix':
        _sync(Path(path).parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY if os.name == 'posix' else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def atomic_write_text(path: str | os.PathLike[str], text: str, sync: bool = False) -> None:
    """Write ``text`` as UTF-8 with Unix line ends; ``sync`` and errors as :func:`atomic_write_bytes`."""
    atomic_write_bytes(path, text.encode('utf-8'), sync)


def atomic_write_json(path: str | os.PathLike[str], value: Any, indent: int | None = None) -> None:
    """Write ``value`` as JSON (strict: no NaN) and a final newline; raises as :func:`atomic_path`."""
    separators = (',', ':') if indent is None else (',', ': ')
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False)
    atomic_write_text(path, text + '\n')


def atomic_write_csv(path: str | os.PathLike[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write ``rows`` as a CSV file with Unix line ends, cells as :func:`csv_cell`; raises as :func:`atomic_path`."""
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows([csv_cell(value) for value in row] for row in rows)
    atomic_write_text(path, text.getvalue())


def csv_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula and no terminal for a command; numbers stay as they are.

    A text that begins with ``=``, ``+``, ``-`` or ``@`` (a file's name) gets ``./`` in front: still the same file.

    >>> [csv_cell(value) for value in ('=1+1.jpg', 'a.jpg', -1.5)]
    ['./=1+1.jpg', 'a.jpg', -1.5]
    """
    if not isinstance(value, str):
        return value
    return f'./{printable(value)}' if value[:1] in ('=', '+', '-', '@') else printable(value)


def ensure_writable(folder: str | os.PathLike[str], option: str = '--out') -> Path:
    """Make ``folder`` and try a file in it, so that long work does not fail at its end.

    What killed processes left half-written directly in it goes. ``option`` is what named it, for the error.

    Raises:
        FaceAlignError: nothing can be written there.
    """
    folder = Path(folder)
    probe = folder / f'.facealign.{os.getpid()}.probe'
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sweep_partial(folder, below=False)
        probe.write_bytes(b'')
        probe.unlink()
    except OSError as error:
        raise FaceAlignError(
            f'{folder}: cannot be written ({error.strerror or error}); choose another {option}'
        ) from error
    return folder
