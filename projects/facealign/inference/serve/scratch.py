"""Temporary files of the page: gone within a minute, with the server, or with the next one if it was killed."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be taken away: nothing is swept there
    fcntl = None  # type: ignore[assignment]

PREFIX = 'facealign-serve-'
_UNLOCKED = 'facealign-starting-'  # until it is locked
# Seconds. What nobody waits for goes after KEEP + EVERY: within a minute.
KEEP, EVERY = 40, 5
WAITING = 600  # an upload whose request waits its turn, or was given up
# What a file costs besides its bytes, so that empty ones are bounded too.
OVERHEAD = 64 << 10


class Scratch:
    """A temporary folder that is locked while its server lives.

    ``path`` is where everything that the page writes must go. Files in it
    are removed ``KEEP`` seconds after they came, or after the last request
    for them was answered. :meth:`close` removes the folder; a killed server's
    folder has no lock any more, and goes with the next start.
    """

    def __init__(self) -> None:
        sweep()
        new = Path(tempfile.mkdtemp(prefix=_UNLOCKED))
        self._lock = _lock(new)
        # Only now another start may meet it.
        self.path = new.rename(new.with_name(PREFIX + new.name.removeprefix(_UNLOCKED)))
        self._guard = threading.Lock()
        self._waiting: Counter[str] = Counter()
        self._until: dict[str, float] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._tidy, name='facealign-serve-scratch', daemon=True)
        self._thread.start()

    def holds(self, path: str | os.PathLike[str]) -> bool:
        """Whether ``path`` is below the folder, whatever dots and links it has."""
        try:
            return self.path.resolve() in Path(path).resolve().parents
        except (OSError, ValueError, RuntimeError):  # too long, with a NUL, a loop of links
            return False

    def expect(self, path: str | os.PathLike[str]) -> None:
        """Keep a file until a request for it is answered."""
        with self._guard:
            self._waiting[str(path)] += 1
            self._until[str(path)] = time.time() + WAITING

    def answered(self, path: str | os.PathLike[str]) -> None:
        """A request for a file was answered; without others, it is soon removed."""
        with self._guard:
            self._waiting[str(path)] -= 1
            if self._waiting[str(path)] <= 0:
                del self._waiting[str(path)]
                self._until[str(path)] = time.time() + KEEP

    def size(self) -> int:
        """Bytes of all files, each with its ``OVERHEAD``."""
        return sum(status.st_size + OVERHEAD for _, status in self._files())

    def remove_old(self, now: float | None = None) -> None:
        """Remove the files whose time has come."""
        now = time.time() if now is None else now
        for path, status in self._files():
            with self._guard:
                if now < max(status.st_ctime + KEEP, self._until.get(str(path), 0)):
                    continue
                self._until.pop(str(path), None)
                self._waiting.pop(str(path), None)
                with suppress(OSError):
                    path.unlink()
            with suppress(OSError):  # not empty yet
                if path.parent != self.path:
                    path.parent.rmdir()
        with self._guard:
            for name in [name for name, until in self._until.items() if now > until and not os.path.exists(name)]:
                del self._until[name]
                self._waiting.pop(name, None)

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        self._closing.set()
        self._thread.join(5)
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        files = []
        for folder, _, names in os.walk(self.path):
            for name in names:
                path = Path(folder, name)
                with suppress(OSError):  # removed meanwhile
                    files.append((path, path.lstat()))
        return files

    def _tidy(self) -> None:
        while not self._closing.wait(EVERY):
            self.remove_old()


def sweep() -> None:
    """Remove the folders that killed servers of this user left; those of living ones are locked."""
    if fcntl is None:
        return
    temporary = Path(tempfile.gettempdir())
    for path in [*temporary.glob(f'{PREFIX}*'), *temporary.glob(f'{_UNLOCKED}*')]:
        with suppress(OSError):  # another's, alive, or gone
            status = path.lstat()
            just_begun = path.name.startswith(_UNLOCKED) and time.time() - status.st_mtime < 60
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or just_begun:
                continue
            lock = _lock(path)
            try:
                shutil.rmtree(path, ignore_errors=True)
            finally:
                if lock is not None:
                    os.close(lock)


def _lock(folder: Path) -> int | None:
    """Lock a folder for as long as this process lives; OSError where another one has."""
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
