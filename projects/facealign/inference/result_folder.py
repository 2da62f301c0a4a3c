"""The folder of results: tables, files beside each other and drawings, in step with the journal at every moment.

The order of writing makes that so: an input's own files come first, then its entry in the journal, and the tables,
which are made from the journal, last. A run that is killed and started again does what has no entry once more. Which
files are its own is in the journal before they are written: no other file of the folder is replaced or removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from facealign.errors import FaceAlignError
from facealign.inference.journal import Entry, Journal
from facealign.inference.result_files import DRAWING, remove_file, remove_results, results_there
from facealign.inference.result_names import drawn_file, full_path
from facealign.inference.sources import Source
from facealign.inference.writers import TABLES, write_faces, write_table
from facealign.markup import Markup
from facealign.utils.files import atomic_write_bytes, atomic_write_csv, ensure_writable, sweep_partial

_FAILURES = ('file', 'reason')


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
            FaceAlignError: the folder holds results of other settings, or a result would overwrite an input or
                another file that no run has made.
        """
        sweep_partial(self._out)
        self._journal = Journal(self._out, settings, restart)
        self._remove(self._journal.is_stale)
        self._formats += [kind for kind in self._journal.formats if kind not in self._formats]
        named = self._journal.enter(sources, restart)
        drawn = [source for source in named if (save_images if source.kind == 'image' else save_video)]
        self._check_drawings(drawn)
        self._take(named, {source.key for source in drawn})
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
        self._journal.begin(source)
        if picture is not None:
            atomic_write_bytes(self.path(drawn_file(source.stem, source.kind)), picture)
        elif DRAWING in self._owned[source.key]:  # of what the file was before
            remove_results(self._out, source.stem, source.kind, [DRAWING])
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
        self._journal.begin(source)
        remove_results(self._out, source.stem, source.kind, self._owned[source.key])
        self._journal.add(source, self._written(source.stem, records), state, made_with, drawn, problem)

    def fail(self, source: Source, reason: str) -> None:
        """Note why ``source`` gave nothing; the files of what it was before go."""
        self._journal.fail(source, reason)
        if not any(self._journal.records(self._journal.place(source))):
            remove_results(self._out, source.stem, source.kind, self._owned[source.key])

    def write_failures(self, failures: Sequence[tuple[str, str]]) -> None:
        """Write ``failures.csv``, of this run and those before it, also when this one is interrupted."""
        path = self.path('failures.csv')
        rows = dict([*self._journal.failures(), *failures])
        if rows:
            atomic_write_csv(path, [_FAILURES, *rows.items()])
        elif _is_ours(path):
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

    def _remove(self, everything: bool) -> None:
        """Remove the files of inputs that a killed run was at, or of all there are; only those that runs have made."""
        owned = []
        for entry in self._journal.entries():
            if entry.owned and (everything or not (entry.done or any(self._journal.records(entry)))):
                remove_results(self._out, entry.stem, entry.kind, entry.owned)
                owned.append((entry.key, ()))
        self._journal.own(owned)
        if everything:
            for kind in self._journal.formats:
                if kind in TABLES:
                    remove_file(self.path(TABLES[kind]))
            self._journal.forget()

    def _take(self, named: Sequence[Source], drawn: set[str]) -> None:
        """Make sure that no result replaces a file that no run has made, then note which will be made.

        Results of inputs of earlier runs, too, are written in formats that these runs were not asked for.
        """
        now = {source.key for source in named}
        entries = list(self._journal.entries())
        self._owned = {entry.key: entry.owned for entry in entries}
        kinds = {}
        for entry in entries:
            kinds[entry.key] = {*self._beside, *([DRAWING] if entry.key in drawn else [])}
            if entry.key not in now and not any(self._journal.records(entry)):
                kinds[entry.key] = set()
            for path in results_there(self._out, entry.stem, entry.kind, kinds[entry.key] - entry.owned):
                raise FaceAlignError(f'{path}: is no result of an earlier run; choose another --out, or move it away')
        added = {key: self._owned[key] | names for key, names in kinds.items() if names - self._owned[key]}
        self._owned.update(added)
        self._journal.formats = self._formats
        self._journal.own(added.items())
        self._complete_formats([entry for entry in entries if entry.key not in now])

    def _complete_formats(self, others: Sequence[Entry]) -> None:
        """Write earlier runs' results in formats that were not asked for then; those of this run come as it goes."""
        kinds = [kind for kind in self._beside if kind not in self._journal.complete_formats]
        for entry in others if kinds else ():
            self._write_files(entry.stem, self._journal.records(entry), kinds)
        self._journal.complete_formats = self._formats

    def _check_drawings(self, sources: Sequence[Source]) -> None:
        inputs, folders = {source.key for source in sources}, dict[str, str]()
        for source in sources:
            path = self.path(drawn_file(source.stem, source.kind))
            if full_path(path, folders) in inputs:
                raise FaceAlignError(f'{path}: is an input, and the drawing would replace it; choose another --out')


def _is_ours(failures: Path) -> bool:
    """Whether a ``failures.csv`` begins as those that are written here."""
    try:
        with open(failures, encoding='utf-8', errors='replace') as file:
            return file.readline(80).strip() == ','.join(_FAILURES)
    except OSError:
        return False
