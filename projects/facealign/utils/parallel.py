"""The same work on many files, on several processes, with a progress bar."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import track

from facealign.errors import FaceAlignError

_Item = TypeVar('_Item')
_Result = TypeVar('_Result')


def default_workers() -> int:
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def show_progress(items: Iterable[_Item], description: str, total: int) -> Iterable[_Item]:
    """``items`` with a progress bar on stderr, where that is a terminal."""
    console = Console(stderr=True)
    return track(items, description=description, total=total, console=console, disable=not console.is_terminal)


def run_parallel(
    function: Callable[[_Item], _Result],
    items: Sequence[_Item],
    description: str,
    workers: int | None = None,
    initializer: Callable[..., None] | None = None,
    initargs: tuple[Any, ...] = (),
    least: int = 8,
) -> list[_Result]:
    """``[function(item) for item in items]``, in order, with a progress bar on stderr.

    ``function``, ``initializer`` (run once a process) and all arguments must
    be picklable: processes are spawned, not forked, so that it works the same
    on every system and beside threads. One worker runs here, without processes;
    there are no more of them than give each ``least`` items.

    Raises:
        FaceAlignError: one that ``function`` raised, or a process died.
    """
    workers = min(workers or default_workers(), max(1, len(items) // least))
    if workers <= 1:
        if initializer is not None:
            initializer(*initargs)
        return list(show_progress(map(function, items), description, len(items)))
    # Few enough parts that handing them out costs little, and enough that the work ends evenly.
    part = min(32, max(1, len(items) // (workers * 16)))
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context('spawn'), initializer, initargs)
    try:
        return list(show_progress(pool.map(function, items, chunksize=part), description, len(items)))
    except BrokenProcessPool as error:
        raise FaceAlignError(
            f'{description}: a worker process ended unexpectedly (out of memory?); try --workers 1'
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
