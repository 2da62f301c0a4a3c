"""What a user names on the command line → the images and videos to work on."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from facealign.errors import FaceAlignError
from facealign.io.image import IMAGE_SUFFIXES, UNREAD_SUFFIXES
from facealign.io.video import VIDEO_SUFFIXES

_LIST_SUFFIXES = ('.txt', '.lst', '.list')


@dataclass(frozen=True)
class Source:
    """One image, video or camera.

    Attributes:
        path: of the file; ``webcam:N`` for a camera.
        name: by which results call it: unique, relative, with the suffix.
        stem: what the files made from it are called, without their suffix: unique too.
        kind: ``image``, ``video`` or ``camera``.
    """

    path: Path
    name: str
    stem: str
    kind: str

    @property
    def camera(self) -> int:
        return int(self.name.partition(':')[2])


def find_sources(inputs: Iterable[str], leave_out: Path | None = None) -> list[Source]:
    """Images, videos, folders (with all below them), globs, list files and ``webcam[:N]`` → sources, each once.

    Args:
        inputs: as the user wrote them. A list file (.txt) has one path a line,
            relative to its own folder.
        leave_out: a folder whose files are not taken (that of the results).

    Raises:
        FaceAlignError: an input names nothing.
    """
    found: list[tuple[Path, str]] = []
    for text in inputs:
        found += _expand(text, leave_out)
    names: dict[Path, str] = {}
    for path, name in found:
        names.setdefault(path, name)
    count = Counter(names.values())
    names = {path: name if count[name] == 1 else '/'.join(path.resolve().parts[1:]) for path, name in names.items()}
    stems = Counter(_stem(name) for name in names.values())
    return [_source(path, name, stems[_stem(name)] == 1) for path, name in names.items()]


def _expand(text: str, leave_out: Path | None) -> list[tuple[Path, str]]:
    kind, _, number = text.partition(':')
    if kind == 'webcam' and not Path(text).exists():
        if number and not number.isdigit():
            raise FaceAlignError(f'{text}: a camera is webcam or webcam:NUMBER')
        return [(Path(f'webcam:{number or 0}'), f'webcam:{number or 0}')]
    path = Path(text)
    if path.is_dir():
        return _folder(path, leave_out)
    if path.is_file():
        return _list_file(path) if path.suffix.lower() in _LIST_SUFFIXES else [(path, path.name)]
    matches = [Path(match) for match in sorted(glob.glob(text, recursive=True))]
    if not matches:
        raise FaceAlignError(f'{text}: no such file or folder')
    return [(match, match.name) for match in matches if match.is_file()]


def _folder(folder: Path, leave_out: Path | None) -> list[tuple[Path, str]]:
    suffixes = (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES)
    skip = leave_out.resolve() if leave_out else None
    files = [
        (file, file.relative_to(folder).as_posix())
        for file in sorted(folder.rglob('*'))
        if file.suffix.lower() in (*suffixes, *UNREAD_SUFFIXES) and not file.name.startswith('.') and not file.is_dir()
        if skip is None or skip not in file.resolve().parents
    ]
    if not files:
        raise FaceAlignError(f'{folder}: a folder without images or videos; their names end in {", ".join(suffixes)}')
    return files


def _list_file(path: Path) -> list[tuple[Path, str]]:
    try:
        lines = path.read_text(encoding='utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FaceAlignError(f'{path}: cannot be read as a list of files ({error})') from error
    files = [line.strip() for line in lines if line.strip() and not line.startswith('#')]
    if not files:
        raise FaceAlignError(f'{path}: an empty list; it needs one image path a line')
    return [
        (path.parent / file, Path(file).name if Path(file).is_absolute() else Path(file).as_posix()) for file in files
    ]


def _stem(name: str) -> str:
    return name.rpartition('.')[0] or name


def _source(path: Path, name: str, stem_is_unique: bool) -> Source:
    if name.startswith('webcam:'):
        return Source(path, name, name.replace(':', ''), 'camera')
    name = '/'.join(part for part in name.split('/') if part not in ('..', '.'))
    kind = 'video' if path.suffix.lower() in VIDEO_SUFFIXES else 'image'
    return Source(path, name, _stem(name) if stem_is_unique else name, kind)
