"""What a user names on the command line → the images and videos to work on."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from facealign.errors import FaceAlignError
from facealign.inference.result_names import ResultNames, full_path
from facealign.io.image import IMAGE_SUFFIXES, UNREAD_SUFFIXES
from facealign.io.name_list import read_file_list
from facealign.io.video import VIDEO_SUFFIXES

_LIST_SUFFIXES = ('.txt', '.lst', '.list')


@dataclass(frozen=True)
class Source:
    """One image, video or camera.

    Attributes:
        path: of the file; ``webcam:N`` for a camera.
        key: its full path, by which it is one and the same in every run.
        name: by which results call it: unique, relative, with the suffix.
        stem: what the files made from it are called, without their suffix: unique too
            (see :mod:`facealign.inference.result_names`).
        kind: ``image``, ``video`` or ``camera``; ``folder`` for one that cannot be listed.
        wanted: the name it would have if no other had it.
        reason: why it cannot be read, where that is known already.
    """

    path: Path
    key: str
    name: str
    stem: str
    kind: str
    wanted: str
    reason: str = ''

    @property
    def camera(self) -> int:
        return int(self.key.partition(':')[2])


@dataclass(frozen=True)
class _Found:
    path: Path
    name: str
    kind: str
    reason: str = ''


def find_sources(inputs: Iterable[str], leave_out: Path | None = None) -> list[Source]:
    """Images, videos, folders (with all below them), globs, list files and ``webcam[:N]`` → sources, each once.

    Args:
        inputs: as the user wrote them. A list file (.txt) has one path a line,
            relative to its own folder (see :mod:`facealign.io.name_list`).
        leave_out: a folder whose files are not taken (that of the results).

    Raises:
        FaceAlignError: an input names nothing.
    """
    folders: dict[str, str] = {}
    found: dict[str, _Found] = {}
    for text in inputs:
        for one in _expand(text, leave_out):
            found.setdefault(str(one.path) if one.kind == 'camera' else full_path(one.path, folders), one)
    names = ResultNames()
    return [
        Source(one.path, key, *names.choose(one.name, key, one.kind), one.kind, one.name, one.reason)
        for key, one in found.items()
    ]


def _expand(text: str, leave_out: Path | None) -> list[_Found]:
    kind, _, number = text.partition(':')
    if kind == 'webcam' and not os.path.exists(text):
        if number and not (number.isascii() and number.isdigit() and len(number) < 4):
            raise FaceAlignError(f'{text}: a camera is webcam or webcam:NUMBER')
        name = f'webcam:{int(number or 0)}'
        return [_Found(Path(name), name, 'camera')]
    if os.path.isdir(text):
        return _folder(Path(text), leave_out)
    if os.path.isfile(text):
        return _list_file(Path(text)) if text.lower().endswith(_LIST_SUFFIXES) else [_file(Path(text))]
    if os.path.exists(text):
        raise FaceAlignError(f'{text}: not a regular file; give an image, a video, a folder or a list')
    return _matches(text, leave_out)


def _matches(pattern: str, leave_out: Path | None) -> list[_Found]:
    matches = sorted(glob.glob(pattern, recursive=True))
    if not matches:
        raise FaceAlignError(f'{pattern}: no such file or folder')
    found: list[_Found] = []
    for match in map(Path, matches):
        if match.is_dir():
            found += _walk(match, leave_out, f'{match.name}/' if match.name else '')
        else:
            found.append(_file(match))
    return found


def _folder(folder: Path, leave_out: Path | None) -> list[_Found]:
    if leave_out is not None and os.path.realpath(folder) == os.path.realpath(leave_out):
        raise FaceAlignError(f'{folder}: is the folder of the results too; choose another --out')
    found = list(_walk(folder, leave_out))
    if not found:
        suffixes = ', '.join((*IMAGE_SUFFIXES, *VIDEO_SUFFIXES))
        raise FaceAlignError(f'{folder}: a folder without images or videos; their names end in {suffixes}')
    return found


def _walk(folder: Path, leave_out: Path | None, prefix: str = '') -> Iterator[_Found]:
    """The images and videos of a folder and those below it, in order, and the folders that cannot be listed.

    Links to folders are followed, each real folder once.
    """
    skip = os.path.realpath(leave_out) if leave_out else None
    if skip is not None and _is_in(os.path.realpath(folder), skip):
        skip = None  # named by the user himself
    found: list[_Found] = []

    def unreadable(error: OSError) -> None:
        path = Path(error.filename)
        reason = f'{path}: cannot be listed ({error.strerror}); check your permissions'
        found.append(_Found(path, prefix + path.relative_to(folder).as_posix(), 'folder', reason))

    suffixes = (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES, *UNREAD_SUFFIXES)
    seen = set()
    for where, below, names in os.walk(folder, onerror=unreadable, followlinks=True):
        real = os.path.realpath(where)
        if real in seen or skip is not None and _is_in(real, skip):
            below.clear()
            continue
        seen.add(real)
        below.sort()
        inside = Path(where).relative_to(folder)
        for name in names:
            if name.lower().endswith(suffixes) and not name.startswith('.'):
                found.append(_file(Path(where, name), prefix + (inside / name).as_posix()))
    yield from sorted(found, key=lambda one: one.name.split('/'))


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _list_file(path: Path) -> list[_Found]:
    return [
        _file(path.parent / file, PurePosixPath(file).name if os.path.isabs(file) else PurePosixPath(file).as_posix())
        for file in read_file_list(path)
    ]


def _file(path: Path, name: str | None = None) -> _Found:
    kind = 'video' if path.suffix.lower() in VIDEO_SUFFIXES else 'image'
    return _Found(path, path.name if name is None else name, kind)
