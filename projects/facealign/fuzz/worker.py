"""One process that tries the inputs of one target; :mod:`facealign.fuzz.runner` starts and watches it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from facealign.fuzz.mutate import mutate_bytes
from facealign.fuzz.targets import Seed, Target, find_target

EXTRA = 'FACEALIGN_FUZZ_EXTRA'  # names a folder with a folder of files for each target that has some
_LONGEST_MESSAGE = 4000
MAX_SECONDS = 5.0  # of processor time of one input
GROWTH = 2**30  # bytes of address space that the inputs of a target may take


def main(name: str, folder: str, seed: int, first: int, last: int) -> None:
    """Try inputs ``first`` to ``last``; a line of JSON before and after each says where it is."""
    report = os.fdopen(os.dup(1), 'w', buffering=1)
    os.dup2(2, 1)  # what libraries print is not for the reader of the report
    target = find_target(name)
    work = Path(folder)
    with contextlib.chdir(work) if hasattr(contextlib, 'chdir') else _inside(work):
        seeds = [*target.seeds(work), *_extra(target)]
        for whole in seeds:  # loads what it needs, so that its memory is not an input's
            _try(target, _write(work, whole, whole.data))
        _limit_memory()
        for index in range(first, last):
            whole, data = make_input(target, seeds, seed, index)
            path = _write(work, whole, data)
            print(json.dumps(dict(start=index, file=path.name)), file=report)
            before = time.process_time()
            outcome = _try(target, path)
            seconds = time.process_time() - before
            kept = work / f'kept-{index}{whole.suffix}'
            if outcome['outcome'] == 'traceback' or seconds > MAX_SECONDS:  # the next input takes the file's place
                kept.write_bytes(data)
            print(json.dumps(dict(done=index, seconds=seconds, kept=kept.name, **outcome)), file=report)
    print(json.dumps(dict(end=True, peak=_peak())), file=report)
    report.flush()
    os._exit(0)  # what damaged files left in libraries is not torn down


def _extra(target: Target) -> list[Seed]:
    """The files of the user's own folder for the target; each is changed as bytes."""
    folder = os.environ.get(EXTRA)
    files = sorted(Path(folder, target.name).iterdir()) if folder and Path(folder, target.name).is_dir() else []
    return [Seed(file.suffix, file.read_bytes(), mutate_bytes) for file in files]


def make_input(target: Target, seeds: list[Seed], seed: int, index: int) -> tuple[Seed, bytes]:
    """The input of a number: always the same for the same seed."""
    rng = random.Random(f'{seed} {target.name} {index}')
    whole = seeds[rng.randrange(len(seeds))]
    mutate = whole.mutate
    return whole, mutate(whole.data, rng)


def _write(work: Path, seed: Seed, data: bytes) -> Path:
    path = work / f'input{seed.suffix}'
    path.write_bytes(data)
    return path


def _try(target: Target, path: Path) -> dict[str, Any]:
    """``refused``, ``read`` or ``traceback`` of an input."""
    try:
        target.run(path)
    except target.refusals as error:
        text = str(error)
        # Control characters are escaped where messages are printed.
        if not isinstance(error, target.silent) and not 0 < len(text) < _LONGEST_MESSAGE:
            return dict(outcome='traceback', error=f'the message has {len(text)} characters: {text!r:.300}')
        return dict(outcome='refused')
    except BaseException as error:
        shown = traceback.format_exception(type(error), error, error.__traceback__)
        return dict(outcome='traceback', error=''.join(shown)[-6000:])
    return dict(outcome='read')


def _limit_memory() -> None:
    statm = Path('/proc/self/statm')
    if statm.is_file():
        taken = int(statm.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + GROWTH, taken + GROWTH))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))
