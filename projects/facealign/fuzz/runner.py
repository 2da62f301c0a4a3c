"""Fuzzing: many mutated inputs to everything that reads what others wrote, in processes that may die.

An input is a failure if it raises anything but the documented error, ends the
process, takes more than five seconds of processor time, or more than a
gigabyte.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facealign.fuzz.targets import Target
from facealign.fuzz.worker import MAX_SECONDS

_MAX_WAIT = 60.0  # of the clock, for what waits for something that never comes
_MAX_START = 300.0  # until the first input, with imports and drawing
_BATCH = 1000  # inputs a process tries before a fresh one takes over
_MAX_DEATHS = 20  # of a target's processes, after which it is given up


@dataclass
class Result:
    """What came of a target's inputs.

    Attributes:
        name: of the target.
        inputs, refused, read: how many there were, and of each outcome.
        tracebacks, crashes, hangs: descriptions of those that failed.
        slowest: seconds of processor time of the slowest input.
        skipped: why there were none; empty where there were.
    """

    name: str
    inputs: int = 0
    refused: int = 0
    read: int = 0
    tracebacks: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    slowest: float = 0.0
    skipped: str = ''

    @property
    def failures(self) -> int:
        return len(self.tracebacks) + len(self.crashes) + len(self.hangs)


def fuzz(
    targets: Sequence[Target],
    out: Path,
    seed: int = 0,
    seconds: float | None = None,
    inputs: int | None = None,
    tell: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Try each target, for its share of ``seconds`` or with so many ``inputs``.

    Args:
        targets: what to try.
        out: where failing inputs are kept, with what they did; made when there is one.
        seed: of the mutations. The same seed gives the same inputs, however many.
        seconds: of the clock, for all targets together.
        inputs: of each target, times its weight.
        tell: is given each target's result when it is complete.
    """
    results = []
    end = None if seconds is None else time.monotonic() + seconds
    for i, target in enumerate(targets):
        share = None
        if end is not None:  # what a target leaves goes to those after it
            weights = sum(later.weight for later in targets[i:])
            share = max(end - time.monotonic(), 0) * target.weight / weights
        count = None if inputs is None else max(1, round(inputs * target.weight))
        results.append(_fuzz_target(target, out, seed, share, count))
        tell(results[-1])
    return results


def _fuzz_target(target: Target, out: Path, seed: int, seconds: float | None, inputs: int | None) -> Result:
    result = Result(target.name)
    result.skipped = target.missing()
    if result.skipped:
        return result
    deadline = None if seconds is None else time.monotonic() + seconds
    first, deaths = 0, 0
    while (inputs is None or first < inputs) and (deadline is None or time.monotonic() < deadline or not first):
        last = first + _BATCH if inputs is None else min(first + _BATCH, inputs)
        with tempfile.TemporaryDirectory(prefix='facealign-fuzz-') as folder:
            worker = _Worker(target, Path(folder), seed, first, last, result, out)
            first, died = worker.watch(deadline)
        deaths += died
        if deaths >= _MAX_DEATHS:
            break
    return result


class _Worker:
    """A process that tries inputs, and what is known of it."""

    def __init__(
        self, target: Target, folder: Path, seed: int, first: int, last: int, result: Result, out: Path
    ) -> None:
        self._target, self._folder, self._result, self._out = target, folder, result, out
        self._next, self._last = first, last
        words = [sys.executable, '-m', 'facealign.fuzz.worker', target.name, folder, seed, first, last]
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join(part for part in (package, os.environ.get('PYTHONPATH')) if part)
        # One thread and one arena, so that address space grows by what inputs ask for.
        alone = dict.fromkeys(('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'), '1')
        environment = {**os.environ, **alone, 'MALLOC_ARENA_MAX': '1', 'PYTHONPATH': path, 'PYTHONFAULTHANDLER': '1'}
        (folder / 'stderr').touch()
        with open(folder / 'stderr', 'w') as errors:
            self._process = subprocess.Popen(
                list(map(str, words)), stdout=subprocess.PIPE, stderr=errors, env=environment, start_new_session=True
            )
        self._current: dict[str, Any] = {}
        self._since, self._spent = time.monotonic(), 0.0

    def watch(self, deadline: float | None) -> tuple[int, bool]:
        """Read its reports until it ends; returns the number of the next input, and whether it died."""
        assert self._process.stdout is not None
        buffer = b''
        ended = stopped = False
        with selectors.DefaultSelector() as selector:
            os.set_blocking(self._process.stdout.fileno(), False)
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while True:
                if selector.select(timeout=0.5):
                    data = self._process.stdout.read() or b''
                    if not data:
                        break
                    *lines, buffer = (buffer + data).split(b'\n')
                    for line in lines:
                        ended |= self._note(json.loads(line))
                if self._is_stuck():
                    stopped = True
                    self._fail('hangs', 'takes too long')
                    break
                if deadline is not None and time.monotonic() > deadline and self._next and not self._current:
                    break
        died = self._finish(ended or stopped, deadline)
        return self._next, died or stopped

    def _note(self, message: dict[str, Any]) -> bool:
        if 'end' in message:
            return True
        if 'start' in message:
            self._current, self._since, self._spent = message, time.monotonic(), self._processor_time()
            return False
        result, self._next = self._result, message['done'] + 1
        result.inputs += 1
        result.slowest = max(result.slowest, message['seconds'])
        self._current = dict(self._current, file=message['kept'])
        if message['outcome'] == 'traceback':
            self._fail('tracebacks', message['error'])
        elif message['seconds'] > MAX_SECONDS:
            self._fail('hangs', f'takes {message["seconds"]:.1f} seconds')
        elif message['outcome'] == 'read':
            result.read += 1
        else:
            result.refused += 1
        self._current = {}
        return False

    def _is_stuck(self) -> bool:
        waited = time.monotonic() - self._since
        if not self._current:
            return waited > _MAX_START
        # Processor time: other work on the machine is no fault of the input.
        return waited > _MAX_WAIT or (waited > MAX_SECONDS and self._processor_time() - self._spent > MAX_SECONDS + 1)

    def _processor_time(self) -> float:
        try:
            fields = Path(f'/proc/{self._process.pid}/stat').read_text().rpartition(')')[2].split()
        except OSError:
            return time.monotonic()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def _finish(self, expected: bool, deadline: float | None) -> bool:
        """Reap it; whether it died of its own."""
        out_of_time = deadline is not None and time.monotonic() > deadline and not self._current
        if expected or out_of_time:
            with_grace = 5.0 if expected and not self._current else 0.0
            try:
                self._process.wait(with_grace)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            return False
        status = self._process.wait()
        errors = (self._folder / 'stderr').read_text(errors='replace')[-3000:]
        name = signal.Signals(-status).name if status < 0 else f'status {status}'
        if not self._current:
            raise RuntimeError(f'{self._target.name}: the process ended with {name} before an input\n{errors}')
        self._fail('crashes', f'ends the process with {name}\n{errors}')
        return True

    def _fail(self, kind: str, what: str) -> None:
        """Note a failure, and keep its input."""
        number = self._current.get('start', self._next)
        if kind != 'tracebacks' and number >= self._next:
            self._result.inputs += 1
            self._next = number + 1
        file = self._folder / self._current.get('file', '')
        self._out.mkdir(parents=True, exist_ok=True)
        kept = self._out / f'{self._target.name}-{number}{file.suffix}'
        if file.is_file():
            shutil.copyfile(file, kept)
        kept.with_name(f'{kept.name}.txt').write_text(f'{kind}\n{what}\n', encoding='utf-8', errors='replace')
        getattr(self._result, kind).append(f'{kept}: {what.strip().splitlines()[-1][:300]}')
        if kind == 'hangs' and self._process.poll() is None:
            self._process.kill()
