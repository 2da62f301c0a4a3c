"""Lists that name images, one a line, and which file each line means; the one reader of lists, for all commands.

A line is a file's path or an end of it. It may have quotes around it, backslashes between folders, other upper and
lower case, and numbers or further columns behind it (``photo.jpg 83 83 170 170``), which are passed over. The list may
be UTF-8, UTF-16 or Latin-1. A line with ``#`` in front is a comment, unless there is a file of that name.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from facealign.errors import FaceAlignError
from facealign.io.image_header import IMAGE_SUFFIXES
from facealign.io.text import decode_text, latin, read_user_file

_NUMBER = re.compile(r'[+-]?\d{1,9}(\.\d{0,9})?')
_SEPARATORS = str.maketrans(',;\t', '   ')
_DRIVE = re.compile(r'[A-Za-z]:/')
# No path is longer.
_MAX_LINE = 8192


@dataclass(frozen=True)
class _Line:
    """One line: what it may mean, the likeliest first, and whether it may be a comment."""

    readings: tuple[str, ...]
    is_comment: bool


def match_names(listed: Iterable[str], file_names: Iterable[str]) -> dict[str, str]:
    r"""For each of ``file_names`` the entry of ``listed`` that means it; a name without one is absent.

    An entry means the file whose relative path ends with it, or whose path is
    an end of it; ``\`` and ``/`` are the same, and so are upper and lower case
    and Unicode's forms, unless there is a file that it names exactly. Where an entry fits several
    files, or several entries fit one file, it is not guessed: no entry.

    >>> match_names(['b/1.jpg', 'Set\\3.JPG', '2.jpg'], ['a/1.jpg', 'b/1.jpg', 'a/2.jpg', 'b/2.jpg', '3.jpg'])
    {'b/1.jpg': 'b/1.jpg', '3.jpg': 'Set\\3.JPG'}
    """
    files = list(dict.fromkeys(file_names))
    exact: dict[str, str] = {}
    for entry in listed:
        exact.setdefault(slashed(entry), entry)
    found = {name: exact[slashed(name)] for name in files if slashed(name) in exact}
    entries: dict[str, set[str]] = defaultdict(set)
    for spelled in exact.keys() - {slashed(name) for name in found}:
        entries[folded(spelled)].add(exact[spelled])
    taken = {folded(slashed(name)) for name in found}
    entries_by_end, files_by_end = _by_end(entries), _by_end(folded(slashed(name)) for name in files)
    for name in files:
        if name in found:
            continue
        key = folded(slashed(name))
        candidates = [key] if key in entries else [e for e in entries_by_end.get(_end(key), ()) if _is_end(e, key)]
        if len(candidates) != 1 or len(entries[candidates[0]]) != 1:
            continue
        rivals = sum(_is_end(candidates[0], rival) for rival in files_by_end[_end(key)])
        if candidates == [key] or rivals == 1 and candidates[0] not in taken:
            (found[name],) = entries[candidates[0]]
    return {name: found[name] for name in files if name in found}


def _by_end(keys: Iterable[str]) -> dict[str, list[str]]:
    """Paths by their last part."""
    ends: dict[str, list[str]] = defaultdict(list)
    for key in dict.fromkeys(keys):
        ends[_end(key)].append(key)
    return ends


def _end(key: str) -> str:
    return PurePosixPath(key).name


def _is_end(a: str, b: str) -> bool:
    return a == b or a.endswith('/' + b) or b.endswith('/' + a)


def slashed(name: str) -> str:
    """A name with ``/`` between its folders, and no ``./`` in front."""
    return name.strip().replace('\\', '/').removeprefix('./')


def folded(name: str) -> str:
    """A name in the one spelling that its upper and lower case, and its composed and decomposed letters share."""
    return name.lower() if name.isascii() else unicodedata.normalize('NFC', name).casefold()


def without_suffix(name: str, suffixes: tuple[str, ...] = IMAGE_SUFFIXES) -> str:
    """An image's name without ``.jpg`` and the like; other dots stay.

    >>> without_suffix('a.b.JPG'), without_suffix('a.b')
    ('a.b', 'a.b')
    """
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in suffixes else name


def read_name_list(path: str | os.PathLike[str], file_names: Iterable[str] = ()) -> list[str]:
    """The image names in a text file, one a line; blank lines and comments are passed over.

    Args:
        path: of the list.
        file_names: of the images there are. They decide between the readings of
            a line; one that fits none stays as it is.

    Raises:
        FaceAlignError: the file cannot be read, is not text, or names nothing.
    """
    names = list(file_names)
    ends = _by_end(folded(slashed(name)) for name in [*names, *map(without_suffix, names)])

    def is_there(reading: str) -> bool:
        key = folded(slashed(reading))
        return any(_is_end(key, end) for end in ends.get(_end(key), ()))

    return [_spoken(line, is_there) for line in _lines(Path(path), is_there)]


def read_file_list(path: str | os.PathLike[str]) -> list[str]:
    """The files that a list names, absolute or relative to the list's own folder; those that are not there too.

    Raises:
        FaceAlignError: as :func:`read_name_list`.
    """
    path = Path(path)
    here = path.parent
    folders = _Folders()

    def is_there(reading: str) -> bool:
        return os.path.lexists(here / reading)

    files = [
        next(filter(is_there, line.readings), None) or _in_other_case(line, here, folders) or _spoken(line, is_there)
        for line in _lines(path, is_there)
    ]
    return _without_drives(files, here, folders)


def _lines(path: Path, is_there: Callable[[str], bool]) -> list[_Line]:
    """The lines of a list but comments; raises FaceAlignError."""
    data = read_user_file(path, 'a list of names')
    try:
        lines = list(_parse(data))
    except ValueError as error:
        raise FaceAlignError(f'{path}: not a text file ({error}); give a list with one image name a line') from error
    lines = [line for line in lines if not line.is_comment or any(map(is_there, line.readings))]
    if not lines:
        raise FaceAlignError(f'{path}: an empty list, it names no image; give a list with one image name a line')
    return lines


def _parse(data: bytes) -> Iterator[_Line]:
    text = decode_text(data)
    is_bytes = not data.startswith((b'\xff\xfe', b'\xfe\xff'))
    data = data.removeprefix(b'\xef\xbb\xbf')
    for raw in data.splitlines() if is_bytes else text.splitlines():
        spellings = [raw] if isinstance(raw, str) else _decoded(raw)
        if spellings[0].strip():
            readings = dict.fromkeys(reading for spelling in spellings for reading in _readings(spelling))
            yield _Line(tuple(readings), spellings[0].lstrip().startswith('#'))


def _decoded(raw: bytes) -> list[str]:
    """A line's text; one that is not UTF-8 is Latin-1, or the very bytes of a file's name."""
    try:
        return [raw.decode('utf-8')]
    except UnicodeDecodeError:
        return [latin(raw), raw.decode('utf-8', 'surrogateescape')]


def _readings(line: str) -> Iterator[str]:
    """What a line may mean: as it is; without quotes, numbers, further columns; and that with ``/`` for backslashes."""
    line = line.rstrip('\r\n')
    forms = [line.strip()] if len(line) > _MAX_LINE else [line.strip(), *_parts(line.strip()), line]
    for form in [*forms, *(form.replace('\\', '/') for form in forms)]:
        if form.strip():
            yield form


def _parts(line: str) -> Iterator[str]:
    yield _unquoted(line)
    if line[:1] in ('"', "'") and line.find(line[0], 1) > 1:
        yield line[1 : line.find(line[0], 1)]
    plain = line.translate(_SEPARATORS).rstrip()
    while len(words := plain.rsplit(None, 1)) == 2 and _NUMBER.fullmatch(words[1]):
        plain = words[0].rstrip()
    yield _unquoted(line[: len(plain)])
    for separator in '\t;,':
        yield _unquoted(line.partition(separator)[0].strip())


def _unquoted(text: str) -> str:
    return text[1:-1].strip() if len(text) > 2 and text[0] == text[-1] and text[0] in '"\'' else text


def _spoken(line: _Line, is_there: Callable[[str], bool]) -> str:
    return next(filter(is_there, line.readings), _unquoted(line.readings[0]))


class _Folders:
    """What folders hold; each is listed once."""

    def __init__(self) -> None:
        self._names: dict[Path, dict[str, list[str]]] = {}

    def find(self, folder: Path, parts: Iterable[str]) -> Path | None:
        """The one file at a path below ``folder`` that is written in any case; the one in this case goes first."""
        found = [folder]
        for part in parts:
            found = [path / name for path in found for name in self._named(path, part)]
            if not found:
                return None
        return found[0] if len(found) == 1 and found != [folder] else None

    def _named(self, folder: Path, part: str) -> list[str]:
        if os.path.lexists(folder / part):
            return [part]
        if folder not in self._names:
            names: dict[str, list[str]] = defaultdict(list)
            with suppress(OSError):
                for name in os.listdir(folder):
                    names[folded(name)].append(name)
            self._names[folder] = dict(names)
        return self._names[folder].get(folded(part), [])


def _in_other_case(line: _Line, folder: Path, folders: _Folders) -> str | None:
    """The one file that a line names in other upper and lower case."""
    for reading in line.readings:
        found = folders.find(folder, PurePosixPath(reading).parts)
        if found is not None:
            return os.path.relpath(found, folder) if not os.path.isabs(reading) else str(found)
    return None


def _without_drives(files: list[str], folder: Path, folders: _Folders) -> list[str]:
    """Paths of another computer (``C:\\photos\\1.jpg``) → the file in ``folder`` that has one's end, and no other's."""
    found = [_end_in(file, folder, folders) for file in files]
    count = Counter(name for name in found if name)
    named = set(files)
    return [name if name and count[name] == 1 and name not in named else file for file, name in zip(files, found)]


def _end_in(file: str, folder: Path, folders: _Folders) -> str | None:
    path = file.replace('\\', '/')
    if os.path.lexists(folder / file) or not _DRIVE.match(path):
        return None
    parts = path.split('/')[1:]
    for i in range(len(parts)):
        found = folders.find(folder, parts[i:])
        if found is not None:
            return found.relative_to(folder).as_posix()
    return None
