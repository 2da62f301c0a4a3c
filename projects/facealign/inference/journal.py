"""What a run has done so far, on disk, so that it can be interrupted and go on."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from facealign.errors import FaceAlignError
from facealign.files import ensure_writable
from facealign.inference.sources import Source

FILE_NAME = '.facealign.sqlite'
_TABLES = """
    create table if not exists settings (value text);
    create table if not exists done (name text primary key, signature text);
    create table if not exists records (name text, record text);
    create index if not exists records_name on records (name);
"""


class Journal:
    """The finished images and videos of an output folder; the result files are written from it.

    A source is there whole or not at all, even after the process was killed.

    Args:
        out: the output folder.
        settings: what the results depend on. A journal of other settings is not continued.
        restart: forget what is there.

    Raises:
        FaceAlignError: the folder cannot be written, or holds the results of other settings.
    """

    def __init__(self, out: Path, settings: dict[str, Any], restart: bool = False) -> None:
        self._path = ensure_writable(out) / FILE_NAME
        if restart:
            self._path.unlink(missing_ok=True)
        try:
            self._database = sqlite3.connect(self._path)
            # Survives a killed process; only a power cut could lose it, and nothing but time with it.
            self._database.execute('pragma synchronous = off')
            self._database.executescript(_TABLES)
            before = self._database.execute('select value from settings').fetchone()
        except sqlite3.Error as error:
            raise FaceAlignError(f'{self._path}: cannot be read ({error}); give --restart to begin anew') from error
        value = json.dumps(settings, sort_keys=True)
        if before is None:
            with self._database:
                self._database.execute('insert into settings values (?)', [value])
        elif before[0] != value:
            old = json.loads(before[0])
            changed = ', '.join(key for key in settings if old.get(key) != settings[key])
            raise FaceAlignError(
                f'{out}: holds results of other settings ({changed}); choose another --out, or --restart to redo them'
            )

    def is_done(self, source: Source) -> bool:
        """Whether an earlier run did ``source``, and the file is still what it was then."""
        row = self._database.execute('select signature from done where name = ?', [source.name]).fetchone()
        return row is not None and row[0] == _signature(source.path)

    def add(self, source: Source, records: Iterable[dict[str, Any]]) -> None:
        """Note that ``source`` is done, with its records (one, or one a frame); they may come while it is worked on."""
        rows = ((source.name, json.dumps(record, separators=(',', ':'), allow_nan=False)) for record in records)
        try:
            with self._database:
                self._database.execute('delete from records where name = ?', [source.name])
                self._database.executemany('insert into records values (?, ?)', rows)
                self._database.execute(
                    'insert or replace into done values (?, ?)', [source.name, _signature(source.path)]
                )
        except sqlite3.Error as error:
            raise FaceAlignError(f'{self._path}: cannot be written ({error}); check the disk space') from error

    def do_again(self, source: Source) -> None:
        """Keep the records of ``source``, but let the next run do it again: it is damaged."""
        with self._database:
            self._database.execute("update done set signature = '' where name = ?", [source.name])

    def records(self, sources: Iterable[Source]) -> Iterator[dict[str, Any]]:
        """The records of the sources that are done, in their order."""
        for source in sources:
            for (record,) in self._database.execute(
                'select record from records where name = ? order by rowid', [source.name]
            ):
                yield json.loads(record)

    def close(self) -> None:
        self._database.close()


def _signature(path: Path) -> str:
    """Size and time of change: whether a file is still what it was."""
    try:
        status = os.stat(path)
    except OSError:
        return 'gone'
    return f'{status.st_size} {status.st_mtime_ns}'
