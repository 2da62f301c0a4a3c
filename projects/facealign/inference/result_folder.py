"""The folder of results: tables, files beside each other and drawings, in step with the journal at every moment.

The order of writing makes that so: an input's own files come first, then its entry in the journal, and the tables,
which are made from the journal, last. A run that is killed and started again does what has no entry once more.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from facealign.errors import FaceAlignError
from facealign.files import atomic_write_bytes, atomic_write_csv, ensure_writable, sweep_partial
from facealign.inference.journal import Journal
from facealign.inference.result_names import drawn_file, full_path, result_files
from facealign.inference.sources import Source
from facealign.inference.writers import TABLES, remove_file, write_faces, write_table
from facealign.markup import Markup


class ResultFolder:
    """What ``facealign align`` writes to.

    Args:
        out: the folder.
        markup: of the points.
        formats: that this run is asked for. Those that earlier runs wrote are kept up to date, too.

    Raises:
        FaceAlignError: it cannot be written.
    """

    def __init__(self, out: Path, markup: Markup, formats: Sequence[str]) -> None:
        self._out, self._markup, self._asked = ensure_writable(out), markup, formats
        self._formats = list(formats)

    def open(
        self, sources: Sequence[Source], settings: dict[str, Any], restart: bool, save_images: bool, save_video: bool
    ) -> list[Source]:
        """Begin, and give the sources the names by which their results go.

        Raises:
            FaceAlignError: the folder holds results of other settings, or a result would overwrite an input.
        """
        sweep_partial(self._out)
        self._journal = Journal(self._out, settings, restart)
        self._check_pts(sources)
        if self._journal.is_stale:
            self._remove_all()
        self._formats += [kind for kind in self._journal.formats if kind not in self._formats]
        self._journal.formats = self._formats
        named = self._journal.enter(sources, restart)
        self._check_drawings([source for source in named if (save_images if source.kind == 'image' else save_video)])
        self._complete_formats(named)
        return named

    def path(self, name: str) -> Path:
        """The path of a file of results, by its name in the folder."""
        return self._out / name

    def is_done(self, source: Source, made_with: str, drawn: str) -> bool:
        """Whether an earlier run did ``source`` (see :meth:`Journal.is_done`); then its files are written once more:
        one may be gone, or of a format that was not asked for then.
        """
        if source.kind == 'camera' or not self._journal.is_done(source, made_with, drawn):
            return False
        if drawn and not self.path(drawn_file(source.stem, source.kind)).is_file():
            return False
        self._write_files(source.stem, self._journal.records(self._journal.place(source)), self._beside)
        return True

    def add_image(
        self, source: Source, record: dict[str, Any], picture: bytes | None, state: str, made_with: str, drawn: str
    ) -> None:
        """Write the files of an image, then note it in the journal; ``picture`` is the drawing as a JPEG file."""
        path = self.path(drawn_file(source.stem, source.kind))
        if picture is None:
            remove_file(path)  # of what the file was before
        else:
            atomic_write_bytes(path, picture)
        self._write_files(source.stem, [record], self._beside)
        self._journal.add(source, [record], state, made_with, drawn)

    def add_video(
        self,
        source: Source,
        records: Iterable[dict[str, Any]],
        state: str,
        made_with: str,
        drawn: str,
        problem: Callable[[], str],
    ) -> None:
        """Write the files of a video's frames as they come, and note it in the journal; see :meth:`Journal.add`."""
        place = self._journal.place(source)
        self._remove_files(source.stem, source.kind, self._journal.records(place))
        self._journal.add(source, self._written(source.stem, records), state, made_with, drawn, problem)

    def fail(self, source: Source, reason: str) -> None:
        """Note why ``source`` gave nothing; the files of what it was before go."""
        place = self._journal.place(source)
        before = list(self._journal.records(place))
        self._journal.fail(source, reason)
        if before and not any(self._journal.records(place)):
            self._remove_files(source.stem, source.kind, before)

    def write_failures(self, failures: Sequence[tuple[str, str]]) -> None:
        """Write ``failures.csv``, of this run and those before it, also when this one is interrupted."""
        path = self.path('failures.csv')
        rows = dict([*self._journal.failures(), *failures])
        if rows:
            atomic_write_csv(path, [('file', 'reason'), *rows.items()])
        else:
            remove_file(path)

    def write_tables(self, about: dict[str, Any]) -> None:
        """Write the tables of all results, of this run and those before it."""
        for kind in self._formats:
            if kind in TABLES:
                write_table(self.path(TABLES[kind]), kind, self._journal.table(), self._markup, about)
        self._journal.close()

    @property
    def _beside(self) -> list[str]:
        return [kind for kind in self._formats if kind not in TABLES]

    def _write_files(self, stem: str, records: Iterable[dict[str, Any]], kinds: Sequence[str]) -> None:
        if kinds:
            for record in records:
                frame = record.get('frame')
                name = stem if frame is None else f'{stem}/{frame:06d}'
                for kind in kinds:
                    write_faces(self.path(name), kind, record['faces'])

    def _written(self, stem: str, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for record in records:
            self._write_files(stem, [record], self._beside)
            yield record

    def _complete_formats(self, named: Sequence[Source]) -> None:
        """Write earlier runs' results in formats that were not asked for then; those of this run come as it goes."""
        kinds = [kind for kind in self._beside if kind not in self._journal.complete_formats]
        now = {source.key for source in named}
        for entry in self._journal.entries() if kinds else ():
            if entry.key not in now:
                self._write_files(entry.stem, self._journal.records(entry), kinds)
        self._journal.complete_formats = self._formats

    def _remove_all(self) -> None:
        for entry in self._journal.entries():
            self._remove_files(entry.stem, entry.kind, self._journal.records(entry))
        for name in TABLES.values():
            remove_file(self.path(name))
        self._journal.forget()

    def _remove_files(self, stem: str, kind: str, records: Iterable[dict[str, Any]]) -> None:
        for record in records:
            frame = record.get('frame')
            for name in result_files(stem if frame is None else f'{stem}/{frame:06d}', len(record['faces'])):
                remove_file(self.path(name))
        remove_file(self.path(drawn_file(stem, kind)))

    def _check_drawings(self, sources: Sequence[Source]) -> None:
        inputs, folders = {source.key for source in sources}, dict[str, str]()
        for source in sources:
            path = self.path(drawn_file(source.stem, source.kind))
            if full_path(path, folders) in inputs:
                raise FaceAlignError(f'{path}: is an input, and the drawing would replace it; choose another --out')

    def _check_pts(self, sources: Sequence[Source]) -> None:
        """Raise FaceAlignError where an annotation beside an image would be overwritten."""
        out = os.path.realpath(self._out)
        for source in sources if 'pts' in self._asked else ():
            path = Path(source.key).with_suffix('.pts')
            if os.path.dirname(source.key) == out and path.is_file() and not self._journal.knows(source):
                raise FaceAlignError(f'{path}: is no result of an earlier run; choose another --out')
