"""Lists that name images, and which file each name means."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from facealign.errors import FaceAlignError
from facealign.io.image_header import IMAGE_SUFFIXES


def match_names(listed: Iterable[str], file_names: Iterable[str]) -> dict[str, str]:
    r"""For each of ``file_names`` the entry of ``listed`` that means it; a name without one is absent.

    An entry means the file whose relative path ends with it, or whose path is
    an end of it; upper and lower case, and ``\`` and ``/``, are the same.
    Where that fits several files, or several entries fit one file, it is not
    guessed: no entry.

    >>> match_names(['b/1.jpg', 'Set\\3.JPG', '2.jpg'], ['a/1.jpg', 'b/1.jpg', 'a/2.jpg', 'b/2.jpg', '3.jpg'])
    {'b/1.jpg': 'b/1.jpg', '3.jpg': 'Set\\3.JPG'}
    """
    entries = {name_key(entry): entry for entry in listed}
    files = {name: name_key(name) for name in dict.fromkeys(file_names)}
    entries_by_end: dict[str, list[str]] = defaultdict(list)
    for key in entries:
        entries_by_end[PurePosixPath(key).name].append(key)
    files_by_end: dict[str, list[str]] = defaultdict(list)
    for key in files.values():
        files_by_end[PurePosixPath(key).name].append(key)
    found: dict[str, str] = {}
    for name, key in files.items():
        if key in entries:
            found[name] = entries[key]
            continue
        end = PurePosixPath(key).name
        candidates = [entry for entry in entries_by_end.get(end, ()) if _is_end(entry, key)]
        if len(candidates) == 1 and sum(_is_end(candidates[0], rival) for rival in files_by_end[end]) == 1:
            found[name] = entries[candidates[0]]
    return found


def name_key(name: str) -> str:
    """What two spellings of one file name have in common."""
    return name.strip().replace('\\', '/').lower().removeprefix('./')


def read_name_list(path: str | os.PathLike[str]) -> list[str]:
    """The image names in a text file, one a line; blank lines and those with ``#`` in front are passed over.

    Raises:
        FaceAlignError: the file cannot be read, is not text, or names nothing.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding='utf-8-sig').splitlines()
    except OSError as error:
        raise FaceAlignError(f'{path}: cannot be read ({error.strerror}); check the name of the list') from error
    except UnicodeDecodeError as error:
        raise FaceAlignError(f'{path}: not a text file; give a list with one image name a line') from error
    names = [line.strip() for line in lines if line.strip() and not line.strip().startswith('#')]
    if not names:
        raise FaceAlignError(f'{path}: names no image; give a list with one image name a line')
    return names


def without_suffix(name: str) -> str:
    """An image's name without ``.jpg`` and the like; other dots stay."""
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in IMAGE_SUFFIXES else name


def _is_end(a: str, b: str) -> bool:
    return a == b or a.endswith('/' + b) or b.endswith('/' + a)
