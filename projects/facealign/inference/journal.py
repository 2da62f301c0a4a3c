"""What the runs into one folder have done so far, on disk, so that they can be interrupted and go on, and add up."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from facealign.errors import FaceAlignError
from facealign.inference.file_content import content_of, file_state
from facealign.inference.result_names import ResultNames
from facealign.inference.sources import Source
from facealign.utils.files import ensure_writable

FILE_NAME = '.facealign.sqlite'
_VERSION = 3
# An input's place is its number: the tables keep the order in which inputs were first named.
_TABLES = """
    create table if not exists settings (name text primary key, value text);
    create table if not exists inputs (
        place integer primary key, key blob unique, name text, stem text, kind text,
        done integer default 0, state text default '', digest blob, made_with text default '', drawn text default '',
        reason text default '', owned text default '');
    create table if not exists records (place integer, record text);
    create index if not exists records_place on records (place);
"""


@dataclass(frozen=True)
class Entry:
    """One input of this run or an earlier one; see :class:`Source` for the names.

    Attributes:
        owned: the kinds of file that were or may have been made of it, see :mod:`facealign.inference.result_files`.
    """

    place: int
    key: str
    name: str
    stem: str
    kind: str
    done: bool
    reason: str
    owned: frozenset[str]


class Journal:
    """The inputs of an output folder, with their results; the result files are written from it.

    An input is done whole or not at all, even after the process was killed. It is known by its full path
    and its content, whatever it is called on the command line.

    Args:
        out: the output folder.
        settings: what the results depend on. A journal of other settings is not continued.
        restart: of a journal of other settings, forget what is there.

    Attributes:
        is_stale: with ``restart``: what is there is of other settings, and to be removed (see :meth:`forget`).

    Raises:
        FaceAlignError: the folder cannot be written, or holds the results of other settings.
    """

    def __init__(self, out: Path, settings: dict[str, Any], restart: bool = False) -> None:
        self._path = ensure_writable(out) / FILE_NAME
        try:
            self._database = self._open()
        except (sqlite3.Error, UnicodeDecodeError, _OtherVersion) as error:
            if not restart:
                raise FaceAlignError(
                    f'{self._path}: cannot be read ({error}); choose another --out, or --restart to begin anew'
                ) from error
            self._path.unlink(missing_ok=True)
            self._database = self._open()
        before = self._setting('settings')
        if not isinstance(before, dict | None):
            raise self._damaged('its settings are none')
        if before not in (None, settings) and not restart:
            changed = ', '.join(key for key in {**before, **settings} if before.get(key) != settings.get(key))
            raise FaceAlignError(
                f'{out}: holds results of other settings ({changed}); choose another --out, or --restart to redo them'
            )
        self.is_stale = restart and before != settings
        self._settings = settings
        if before is None:
            self._set('settings', settings)

    def forget(self) -> None:
        """Begin anew with this run's settings."""
        with self._writing():
            for table in ('inputs', 'records', 'settings'):
                self._database.execute(f'delete from {table}')
        self._set('settings', self._settings)

    @property
    def formats(self) -> list[str]:
        """Those that the folder's runs were asked for."""
        return self._setting('formats') or []

    @formats.setter
    def formats(self, formats: Sequence[str]) -> None:
        self._set('formats', list(formats))

    @property
    def complete_formats(self) -> list[str]:
        """Those in which the results of all inputs that are done are on disk."""
        return self._setting('complete_formats') or []

    @complete_formats.setter
    def complete_formats(self, formats: Sequence[str]) -> None:
        self._set('complete_formats', list(formats))

    def own(self, kinds: Iterable[tuple[str, Iterable[str]]]) -> None:
        """Note of inputs, by their keys, which kinds of file may from now on be made of them."""
        with self._writing():
            self._database.executemany(
                'update inputs set owned = ? where key = ?',
                [[' '.join(sorted(names)), os.fsencode(key)] for key, names in kinds],
            )

    def enter(self, sources: Sequence[Source], again: bool = False) -> list[Source]:
        """Give the sources their places and names: those they had in an earlier run, or new ones.

        With ``again``, none of them is done. Failures that have been cleared up by leaving are forgotten.
        """
        keys = {source.key for source in sources}
        names, known = ResultNames(), {}
        with self._writing():
            for entry in list(self.entries()):
                gone = entry.kind == 'folder' or (entry.reason and not os.path.lexists(entry.key))
                if gone and not entry.done and entry.key not in keys and not any(self.records(entry)):
                    self._database.execute('delete from inputs where place = ?', [entry.place])
                    continue
                names.keep(entry.name, entry.stem, entry.kind)
                known[entry.key] = entry
            entered = [self._enter(source, known.get(source.key), names) for source in sources]
            if again:
                self._database.executemany(
                    'update inputs set done = 0 where key = ?', [[os.fsencode(key)] for key in keys]
                )
        return entered

    def is_done(self, source: Source, made_with: str = '', drawn: str = '') -> bool:
        """Whether an earlier run did ``source`` likewise, and the file is still what it was then.

        Args:
            source: as :meth:`enter` gave it.
            made_with: what the points depend on besides the settings and the file, such as its boxes.
            drawn: what is drawn; empty where no drawing is wanted.
        """
        row = self._one('select done, state, digest, made_with, drawn from inputs where key = ?', source)
        if row is None or not row[0] or row[3] != made_with or drawn not in ('', row[4]):
            return False
        state = file_state(source.path)
        if not state or state == row[1]:
            return bool(state)
        content = content_of(source.path, state)
        if not content.digest or content.digest != row[2]:
            return False
        with self._writing():  # touched, or moved to another disk, but the same
            self._database.execute('update inputs set state = ? where key = ?', [state, os.fsencode(source.key)])
        return True

    def begin(self, source: Source) -> None:
        """Note that the files of ``source`` are about to change: should this process die, it has no result."""
        place = self.place(source)
        if any(self.records(place)):
            with self._writing():
                self._database.execute('delete from records where place = ?', [place])
                self._database.execute('update inputs set done = 0 where place = ?', [place])

    def add(
        self,
        source: Source,
        records: Iterable[dict[str, Any]],
        state: str = '',
        made_with: str = '',
        drawn: str = '',
        problem: Callable[[], str] = str,
    ) -> None:
        """Note that ``source`` is done.

        Args:
            source: as :meth:`enter` gave it.
            records: one, or one a frame; they may come while it is worked on.
            state: the file's :func:`facealign.inference.file_content.file_state` before it was read.
            made_with, drawn: as for :meth:`is_done`.
            problem: called at the end: why the next run must do it again, as it is not whole; empty where it is.
        """
        place = self.place(source)
        rows = ((place, json.dumps(record, separators=(',', ':'), allow_nan=False)) for record in records)
        with self._writing():
            self._database.execute('delete from records where place = ?', [place])
            self._database.executemany('insert into records values (?, ?)', rows)
            content, reason = content_of(source.path, state), problem()
            self._database.execute(
                'update inputs set done = ?, reason = ?, state = ?, digest = ?, made_with = ?, drawn = ? '
                'where place = ?',
                [not reason, reason, content.state, content.digest, made_with, drawn, place],
            )

    def fail(self, source: Source, reason: str) -> None:
        """Note that ``source`` could not be done; results of what it was before go.

        While it cannot be read at all, the results of an earlier run stay.
        """
        place = self.place(source)
        with self._writing():
            if file_state(source.path) and os.access(source.path, os.R_OK):
                self._database.execute('delete from records where place = ?', [place])
            elif any(self.records(place)):
                return
            self._database.execute('update inputs set done = 0, reason = ? where place = ?', [reason, place])

    def place(self, source: Source) -> int:
        """The number by which :class:`Entry` and the records know ``source``."""
        row = self._one('select place from inputs where key = ?', source)
        assert row is not None, 'a source is entered before it is worked on'
        return int(row[0])

    def entries(self) -> Iterator[Entry]:
        """All inputs, in the order in which they were first named."""
        query = 'select place, key, name, stem, kind, done, reason, owned from inputs order by place'
        for place, key, name, stem, kind, done, reason, owned in self._rows(query):
            words = (name, stem, kind, reason, owned)
            if not (isinstance(key, bytes) and all(isinstance(word, str) for word in words)):
                raise self._damaged('an input has no name')
            yield Entry(place, os.fsdecode(key), name, stem, kind, bool(done), reason, frozenset(owned.split()))

    def records(self, entry: Entry | int) -> Iterator[dict[str, Any]]:
        """The records of one input, in their order."""
        place = entry if isinstance(entry, int) else entry.place
        for (text,) in self._rows('select record from records where place = ? order by rowid', place):
            try:
                record = json.loads(text)
            except (ValueError, TypeError, RecursionError) as error:
                raise self._damaged('a result cannot be read') from error
            if not isinstance(record, dict):
                raise self._damaged('a result is none')
            yield record

    def table(self) -> Iterator[dict[str, Any]]:
        """All records, and ``file`` and ``error`` of what could not be read, in the order of the inputs."""
        for entry in self.entries():
            yield from self.records(entry)
            if entry.reason:
                yield dict(file=entry.name, error=entry.reason)

    def failures(self) -> list[tuple[str, str]]:
        """Name and reason of what could not be read."""
        return [(entry.name, entry.reason) for entry in self.entries() if entry.reason]

    def close(self) -> None:
        self._database.close()

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path)
        # Survives a killed process; only a power cut could lose it, and nothing but time with it.
        database.execute('pragma synchronous = off')
        (version,) = database.execute('pragma user_version').fetchone()
        tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
        if version != _VERSION and tables:
            database.close()
            raise _OtherVersion('it is of another version of facealign')
        database.executescript(f'begin; {_TABLES} pragma user_version = {_VERSION}; commit;')
        return database

    def _enter(self, source: Source, entry: Entry | None, names: ResultNames) -> Source:
        if entry is not None:
            return replace(source, name=entry.name, stem=entry.stem)
        name, stem = names.choose(source.wanted, source.key, source.kind)
        self._database.execute(
            'insert into inputs (key, name, stem, kind) values (?, ?, ?, ?)',
            [os.fsencode(source.key), name, stem, source.kind],
        )
        return replace(source, name=name, stem=stem)

    def _one(self, query: str, source: Source) -> Any:
        return next(self._rows(query, os.fsencode(source.key)), None)

    def _setting(self, name: str) -> Any:
        row = next(self._rows('select value from settings where name = ?', name), None)
        try:
            return None if row is None else json.loads(row[0])
        except (ValueError, TypeError, RecursionError) as error:
            raise self._damaged(f'its {name} cannot be read') from error

    def _rows(self, query: str, *values: Any) -> Iterator[tuple]:
        try:
            yield from self._database.execute(query, values)
        except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, problem: str) -> FaceAlignError:
        return FaceAlignError(f'{self._path}: is damaged ({problem}); choose another --out, or remove it to begin anew')

    def _set(self, name: str, value: Any) -> None:
        with self._writing():
            self._database.execute(
                'insert or replace into settings values (?, ?)', [name, json.dumps(value, sort_keys=True)]
            )

    def _writing(self) -> _Transaction:
        return _Transaction(self._database, self._path)


class _OtherVersion(Exception):
    pass


class _Transaction:
    """All or nothing; raises FaceAlignError where the disk is full."""

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        self._database, self._path = database, path

    def __enter__(self) -> None:
        self._database.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        try:
            self._database.__exit__(kind, error, trace)
        except sqlite3.Error as failed:
            error = failed
        if isinstance(error, sqlite3.Error | UnicodeDecodeError):  # SQLite's own words quote damaged files
            raise FaceAlignError(f'{self._path}: cannot be written ({error}); check the disk space') from error
