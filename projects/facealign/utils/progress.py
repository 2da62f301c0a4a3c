"""How far a run is: a bar with faces a second and failures, and one line for what went wrong."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from facealign.errors import printable


class RunProgress:
    """Counts and shows; everything goes to stderr, so that results can go to stdout.

    Attributes:
        failures: (file, reason) of what failed.
    """

    def __init__(self, total: int) -> None:
        self.console = Console(stderr=True)
        self.failures: list[tuple[str, str]] = []
        self._files = self._faces = self._skipped = self._faceless = self._frames = 0
        self._start = time.perf_counter()
        self._bar = Progress(
            TextColumn('aligning'),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn('{task.fields[rate]:.1f} faces/s'),
            TextColumn('{task.fields[failed]} failed'),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task = self._bar.add_task('', total=total, rate=0.0, failed=0)

    def __enter__(self) -> RunProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def skip(self) -> None:
        """One that an earlier run did."""
        self._skipped += 1
        self._advance()

    def fail(self, name: str, reason: str) -> str:
        """One that failed; the reason goes to the log, and is returned as one line."""
        reason = printable(' '.join(reason.split()))
        self.failures.append((name, reason))
        self._line(f'failed: {reason}' if name in reason else f'failed: {name}: {reason}')
        self._advance()
        return reason

    def done(self, name: str, faces: int | None) -> None:
        """One that is done, with how many faces; None where its frames were counted already."""
        self._files += 1
        self._faces += faces or 0
        if faces == 0:
            self._faceless += 1
            self._line(f'note: {name}: no face found')
        self._advance()

    def add_frames(self, frames: int | None) -> None:
        """A video begins; its frames count as work."""
        task = self._bar.tasks[0]
        self._bar.update(self._task, total=(task.total or 0) + (frames or 0))

    def frame(self, faces: int) -> None:
        """A video's frame is done."""
        self._frames += 1
        self._faces += faces
        self._advance()

    def summary(self) -> str:
        """What was done, in one line."""
        parts = [f'{self._files} done', f'{self._faces} faces']
        if self._frames:
            parts.append(f'{self._frames} frames')
        if self._faceless:
            parts.append(f'{self._faceless} without a face')
        if self._skipped:
            parts.append(f'{self._skipped} done before')
        if self.failures:
            parts.append(f'{len(self.failures)} failed')
        return ', '.join(parts) + f', {self._rate():.1f} faces/s'

    def _rate(self) -> float:
        return self._faces / max(time.perf_counter() - self._start, 1e-6)

    def _advance(self) -> None:
        self._bar.update(self._task, advance=1, rate=self._rate(), failed=len(self.failures))

    def _line(self, text: str) -> None:
        self.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)
