"""What the results of an input are called: from its own name, and never as those of another.

``photo.jpg`` gives ``photo.pts``, ``photo.2.pts`` (its second face), ``photo.npy`` and ``images/photo.jpg``;
``clip.mp4`` gives ``clip/000000.pts`` and ``videos/clip.mp4``. The suffix stays (``1.png.pts``) where the name without
it

- is also that of a file beside it (``1.jpg`` and ``1.png``),
- ends like an image's (``1.jpg.jpg``), or
- ends like a further face's (``p.2.jpg`` and the second face of ``p.jpg``).

That depends on the input and what lies beside it alone, not on what else is aligned. Inputs of one name from
different places: the first keeps it, a later one is called by its full path. Names that differ only in upper and lower
case or in Unicode's form are one name, because they are one file on some systems.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from facealign.errors import printable
from facealign.io.image import IMAGE_SUFFIXES
from facealign.io.name_list import folded, without_suffix
from facealign.io.video import VIDEO_SUFFIXES

_SUFFIXES = (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES)
_FURTHER_FACE = re.compile(r'\.\d+$')
# A component leaves room for ``.1000.pts`` in the 255 bytes that file systems allow.
_MAX_BYTES = 240
# What the folder of the results holds besides.
_TAKEN = ('landmarks.json', 'landmarks.csv', 'alphapose-results.json', 'failures.csv', '.facealign.sqlite')


class ResultNames:
    """Gives names out, each once."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._files = set(_TAKEN)
        self._folders = {'images', 'videos'}
        self._beside: dict[str, Counter[str]] = {}

    def keep(self, name: str, stem: str, kind: str) -> None:
        """Take a name that was given before."""
        self._names.add(folded(name))
        files, folders = _paths(stem, kind)
        self._files |= files
        self._folders |= folders

    def choose(self, wanted: str, key: str, kind: str) -> tuple[str, str]:
        """The name of an input, unique, and the stem of its result files, unique and relative.

        Args:
            wanted: the name by which the user knows it, with ``/`` between folders.
            key: its full path.
            kind: of the source, see :class:`facealign.inference.sources.Source`.
        """
        for name in self._candidates(printable(wanted), key):
            if folded(name) in self._names:
                continue
            for stem in self._stems(name, key, kind):
                files, folders = _paths(stem, kind)
                if not (files & self._files or files & self._folders or folders & self._files):
                    self.keep(name, stem, kind)
                    return name, stem
        raise AssertionError('the digest of its full path is unique')

    def _candidates(self, wanted: str, key: str) -> Iterator[str]:
        yield wanted
        yield printable(key.replace(os.sep, '/'))
        yield f'{wanted}~{_digest(key)}'

    def _stems(self, name: str, key: str, kind: str) -> Iterator[str]:
        folder, whole = _as_relative(name)
        if kind == 'camera':
            whole = whole.replace(':', '')
        short = _short(whole)
        if not (short == whole or _is_taken_for_another(short) or self._shares(key, kind)):
            yield _fit(folder, short, key)
        yield _fit(folder, whole, key)
        yield _fit(folder, f'{whole}~{_digest(key)}', key)
        yield _fit([], f'{whole}~{_digest(key, 16)}', key)  # where a folder has the name of another's file

    def _shares(self, key: str, kind: str) -> bool:
        """Whether another file beside the input has its name without the suffix (for videos, a folder)."""
        folder, own = os.path.split(key)
        if folder not in self._beside:
            self._beside[folder] = _names_in(folder)
        beside = self._beside[folder]
        short = folded(_short(own))
        return beside[short] > 1 or kind == 'video' and beside[short + '/'] > 0


def _short(name: str) -> str:
    return without_suffix(name, _SUFFIXES)


def _is_taken_for_another(short: str) -> bool:
    return _short(short) != short or _FURTHER_FACE.search(short) is not None


def _names_in(folder: str) -> Counter[str]:
    """How often each name without its suffix is there; folders have a ``/`` behind theirs."""
    names: Counter[str] = Counter()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                short = _short(entry.name)
                if short != entry.name:
                    names[folded(short)] += 1
                elif entry.is_dir(follow_symlinks=False):
                    names[folded(entry.name) + '/'] += 1
    except OSError:
        pass  # a folder that may not be listed, or is not there: its files are named one by one
    return names


def _as_relative(name: str) -> tuple[list[str], str]:
    """The folders and the last part of ``name``, below the folder of the results: ``..`` becomes ``__``."""
    parts = [part.replace(':', '') if os.name == 'nt' else part for part in PurePosixPath(name).parts]
    parts = ['__' if part == '..' else part for part in parts if part not in ('/', '//', '.')]
    return parts[:-1], parts[-1] if parts else '_'


def _fit(folder: list[str], last: str, key: str) -> str:
    return '/'.join([*folder, last if len(os.fsencode(last)) <= _MAX_BYTES else _shortened(last, key)])


def _shortened(part: str, key: str) -> str:
    kept = os.fsencode(part)[: _MAX_BYTES - 20].decode('utf-8', 'ignore')
    return f'{kept}~{_digest(key)}'


def _paths(stem: str, kind: str) -> tuple[set[str], set[str]]:
    """The files that results called ``stem`` may be in, and the folders above them; folded, relative."""
    if kind in ('video', 'camera'):
        files = {stem, drawn_file(stem, kind)}  # the folder of its frames is its own
    else:
        # ``p.2`` cannot be told from the second face of ``p``.
        files = {f'{stem}.pts', f'{stem}.npy', drawn_file(stem, kind), f'{_FURTHER_FACE.sub("", stem)}.pts'}
    files = {folded(file) for file in files}
    return files, {parent.as_posix() for file in files for parent in PurePosixPath(file).parents}


def _digest(key: str, size: int = 4) -> str:
    return hashlib.blake2b(os.fsencode(key), digest_size=size).hexdigest()


def drawn_file(stem: str, kind: str) -> str:
    """The picture or video with the points drawn, relative to the folder of the results."""
    return f'videos/{stem}.mp4' if kind in ('video', 'camera') else f'images/{stem}.jpg'


def full_path(path: Path, folders: dict[str, str]) -> str:
    """The path by which a file is one and the same, from wherever it is named; a link keeps its own name.

    Args:
        path: of the file.
        folders: full paths of folders, kept from call to call.
    """
    folder, name = os.path.split(os.fspath(path))
    if folder not in folders:
        folders[folder] = os.path.realpath(folder or os.curdir)
    return os.path.join(folders[folder], name)
