"""Whether a kill -9 loses anything: ``tools/check_runs.py kill``."""

from __future__ import annotations

import hashlib
import os
import resource
import runpy
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch

_CHANGES = ('open', 'os.rename', 'os.remove', 'os.truncate')


@dataclass(frozen=True)
class Work:
    """A command that is killed and run again.

    Attributes:
        name: of it.
        out: the folder that it writes.
        argv: a Python file and its arguments.
        again: what is added to them after a kill.
        outcome: of its folder, name → fingerprint of a result; equal where the results are, to the bit.
        critical: names of files within whose writing it is to be killed, too, by their end.
    """

    name: str
    out: Path
    argv: tuple[str, ...]
    outcome: Callable[[Path], dict[str, str]]
    again: tuple[str, ...] = ()
    critical: tuple[str, ...] = ('',)


@dataclass
class Kills:
    """How many kills there were, and after which of them something was lost."""

    done: int = 0
    lost: list[str] = field(default_factory=list)


def check(work: Work, by_time: int, in_writing: int, report: Callable[[str], None]) -> Kills:
    """Kill ``work`` at moments spread over its time and over the changes it makes to files; run it again, compare.

    Args:
        work: what to run.
        by_time: how many kills from outside, evenly spread over the time that it takes.
        in_writing: how many at a change to a critical file: before it is opened, renamed or removed, and halfway
            through a write.
        report: told of each kill.
    """
    _clear(work.out)
    begin = time.monotonic()
    changes = _run(work)
    seconds = time.monotonic() - begin
    expected = work.outcome(work.out)
    kills = Kills()
    moments: list[tuple[str, dict]] = [
        (f'{share:.0%} of its time', dict(after=share * seconds)) for share in _spread(by_time)
    ]
    for i, share in enumerate(_spread(in_writing)):
        at = 1 + int(share * changes)
        moments.append((f'change {at} of {changes}', dict(change=at, halfway=i % 2 == 1)))
    for what, moment in moments:
        _clear(work.out)
        while not _run(work, **moment) < 0:  # it had ended before: a little earlier
            _clear(work.out)
            moment = dict(moment, after=0.8 * moment['after']) if 'after' in moment else dict(change=1)
        kills.done += 1
        again = Work(work.name, work.out, (*work.argv, *work.again), work.outcome)
        lost = 'it does not run again' if _run(again) < 0 else _differences(expected, work.outcome(work.out))
        if lost:
            kills.lost.append(f'{work.name}, {what}: {lost}')
        report(f'{work.name}: killed at {what}, {"LOST: " + lost if lost else "equal"}')
    return kills


def _differences(expected: dict[str, str], found: dict[str, str]) -> str:
    """In one line, what differs; empty where nothing does."""
    different = [key for key in {**expected, **found} if expected.get(key) != found.get(key)]
    return f'{len(different)} results differ, such as {different[0]}' if different else ''


def _spread(count: int) -> Iterator[float]:
    return ((i + 0.5) / count for i in range(count))


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _run(work: Work, after: float | None = None, change: int | None = None, halfway: bool = False) -> int:
    """Run it in a copy of this process, which has its imports behind it, and kill it.

    Returns:
        how many changes it made to critical files; -1: it was killed or failed.
    """
    read, write = os.pipe()
    process = os.fork()
    if not process:
        os.close(read)
        _be(work, write, change, halfway)
    os.close(write)
    if after is not None:
        time.sleep(after)
        os.kill(process, signal.SIGKILL)
    with os.fdopen(read, 'rb') as pipe:
        text = pipe.read()
    _, status = os.waitpid(process, 0)
    return int(text) if status == 0 and text else -1


def _be(work: Work, pipe: int, change: int | None, halfway: bool) -> None:
    """What the copy does; it never returns."""
    status = 1
    try:
        log = os.open(work.out.with_suffix('.log'), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        changes = _watch(work, change, halfway)
        sys.argv = list(work.argv)
        try:
            runpy.run_path(work.argv[0], run_name='__main__')
            status = 0
        except SystemExit as end:
            status = 0 if not end.code else 1
        if status == 0:
            os.write(pipe, str(changes[0]).encode())
    finally:
        os._exit(status)


def _watch(work: Work, change: int | None, halfway: bool) -> list[int]:
    """Count the changes to critical files, as Python's audit sees them coming; the ``change``-th is the end."""
    count = [0]
    folder = str(work.out)

    def hook(event: str, args: tuple) -> None:
        if event not in _CHANGES or not args or not _concerns(args[0], folder, work.critical):
            return
        if event == 'open' and not (len(args) > 2 and args[2] & (os.O_WRONLY | os.O_RDWR)):
            return
        count[0] += 1
        if count[0] == change:
            if halfway and event == 'open':
                # The system ends it at this byte of a file, without a word to Python.
                signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
                resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return count


def _concerns(path: object, folder: str, critical: tuple[str, ...]) -> bool:
    if not isinstance(path, (str, os.PathLike)):
        return False
    name = os.path.abspath(os.fspath(path))
    return isinstance(name, str) and name.startswith(folder) and name.endswith(critical)


def files_outcome(folder: Path) -> dict[str, str]:
    """Every file below ``folder`` by its bytes; a journal, whose order of lines is the order of work, left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob('*'))
        if path.is_file() and not path.name.startswith('.') and path.suffix != '.jsonl'
    }


def training_outcome(folder: Path) -> dict[str, str]:
    """Every tensor of every checkpoint: weights, their average, the optimiser's state; and ``last_checkpoint``."""
    last = folder / 'last_checkpoint'
    found = {'last': Path(last.read_text()).name if last.exists() else ''}
    for path in folder.glob('*.pth'):
        checkpoint = torch.load(path, weights_only=True)
        for part in ('state_dict', 'ema_state_dict', 'optimizer'):
            found.update({f'{path.name} {key}': value for key, value in _fingerprints(checkpoint.get(part), part)})
    return found


def _fingerprints(value: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, torch.Tensor):
        yield name, hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest()
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _fingerprints(inner, f'{name}/{key}')
    elif isinstance(value, (list, tuple)):
        for i, inner in enumerate(value):
            yield from _fingerprints(inner, f'{name}/{i}')
    else:
        yield name, repr(value)
