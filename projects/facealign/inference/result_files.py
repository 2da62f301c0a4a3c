"""The files beside each other that are made of one input, as they lie on disk.

Their kinds are ``pts``, ``npy`` and ``drawing``. Of an image they are ``STEM.pts``, ``STEM.2.pts`` …, ``STEM.npy`` and
``images/STEM.jpg``; of a video ``STEM/000000.pts`` … and ``videos/STEM.mp4``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from facealign.errors import FaceAlignError
from facealign.inference.result_names import drawn_file

DRAWING = 'drawing'
_OF_FRAME = re.compile(r'\d{6,}(?:\.\d+)?\.(pts|npy)')


def pts_file(stem: Path, number: int) -> Path:
    """The points of a face, counted from 1, of an image or frame whose results are called ``stem``."""
    return stem.with_name(f'{stem.name}.pts' if number == 1 else f'{stem.name}.{number}.pts')


def results_there(out: Path, stem: str, kind: str, wanted: Iterable[str]) -> Iterator[Path]:
    """The files that exist where the results of an input of ``kind`` go.

    Args:
        out: the folder of the results.
        stem: of the input.
        kind: of the source, see :class:`facealign.inference.sources.Source`.
        wanted: kinds of file.
    """
    wanted = set(wanted)
    if DRAWING in wanted:
        yield from filter(os.path.lexists, [out / drawn_file(stem, kind)])
    if kind in ('video', 'camera'):
        yield from _of_frames(out / stem, wanted) if wanted - {DRAWING} else ()
        return
    if 'npy' in wanted:
        yield from filter(os.path.lexists, [out / f'{stem}.npy'])
    if 'pts' in wanted:
        yield from filter(os.path.lexists, [pts_file(out / stem, 1)])
        number = 2
        while os.path.lexists(path := pts_file(out / stem, number)):
            yield path
            number += 1


def _of_frames(folder: Path, wanted: set[str]) -> Iterator[Path]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        match = _OF_FRAME.fullmatch(name)
        if match and match[1] in wanted:
            yield folder / name


def remove_results(out: Path, stem: str, kind: str, owned: Iterable[str]) -> None:
    """Remove the files of an input, of the kinds that are its own; raises as :func:`remove_file`."""
    for path in list(results_there(out, stem, kind, owned)):
        remove_file(path)
    if kind in ('video', 'camera'):
        with suppress(OSError):  # not empty, or not there
            (out / stem).rmdir()


def remove_file(path: Path) -> bool:
    """Remove a result file; False where there is none.

    Raises:
        FaceAlignError: it cannot be removed.
    """
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise FaceAlignError(f'{path}: cannot be removed ({error.strerror}); check your permissions') from error
    return True
