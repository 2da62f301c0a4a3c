"""Fuzzing: whole inputs are read, mutants are refused in one line or read, and what goes wrong is found and kept."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.errors import FaceAlignError
from facealign.fuzz import runner, targets, worker
from facealign.fuzz.mutate import mutate_bytes, mutate_json, mutate_text
from facealign.fuzz.targets import TARGETS, Seed, Target, find_target

HEAVY = ('dataset', 'checkpoints')  # with torch


@pytest.mark.parametrize('target', TARGETS, ids=[target.name for target in TARGETS])
def test_whole_inputs_are_read(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the mutants are refused for one and the same reason, and nothing is tried."""
    if target.missing():
        pytest.skip(target.missing())
    monkeypatch.chdir(tmp_path)
    refused = []
    for seed in target.seeds(tmp_path):
        path = tmp_path / f'input{seed.suffix}'
        path.write_bytes(seed.data)
        try:
            target.run(path)
        except target.refusals as error:
            refused.append((seed.suffix, str(error)))
    # JPEG 2000 is refused always, and what needs a package that is not here; of dlib's networks none can be made;
    # published weights are no training's; the first array is one of many.
    allowed = dict(images={'.jp2', '.heic', '.avif'}, mmod={'.dat'}, checkpoints={'.pth'}, arrays={''})
    assert {suffix for suffix, _ in refused} <= allowed.get(target.name, set()), refused


@pytest.mark.parametrize('mutate', [mutate_bytes, mutate_text, mutate_json])
@given(number=st.integers(0, 10**6))
def test_mutations_depend_on_the_seed_alone_and_change_something(mutate: Callable, number: int) -> None:
    data = b'{"a": [1, 2, {"b": "c"}], "d": [0.5]}'
    again = [mutate(data, Random(number)) for _ in range(2)]
    assert again[0] == again[1]


@pytest.mark.parametrize('target', [target for target in TARGETS if target.name not in HEAVY], ids=lambda t: t.name)
def test_a_short_run_finds_nothing(target: Target, tmp_path: Path) -> None:
    (result,) = runner.fuzz([target], tmp_path / 'out', seed=7, inputs=round(15 / target.weight))
    assert result.failures == 0, (result.tracebacks, result.crashes, result.hangs)
    assert result.skipped or result.inputs == result.refused + result.read >= 15
    assert not (tmp_path / 'out').exists()


def _odd(path: Path) -> str:
    """Does by its input's first letter what no reader may."""
    first = path.read_bytes()[:1]
    if first == b'r':
        raise FaceAlignError('refused')
    if first == b't':
        raise KeyError('x')
    if first == b'c':
        os.abort()
    if first == b'm':
        return str(len(bytearray(3 * 2**30)))
    while first == b'h':
        time.process_time()
    return 'read'


ODD = Target('odd', lambda work: [Seed('.x', b'?', lambda data, rng: rng.choice((b'r', b't', b'c', b'm', b'o')))], _odd)


def test_what_goes_wrong_is_found_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, '_BATCH', 7)
    site = tmp_path / 'site'
    site.mkdir()
    # The processes find the target as well.
    (site / 'sitecustomize.py').write_text(
        'import sys, pathlib\n'
        f'sys.path.insert(0, {str(Path(__file__).parent)!r})\n'
        'from facealign.fuzz import targets\n'
        'import test_fuzz\n'
        'targets.TARGETS += (test_fuzz.ODD,)\n'
    )
    monkeypatch.setenv('PYTHONPATH', f'{site}{os.pathsep}{Path(targets.__file__).parents[2]}')
    monkeypatch.setattr(runner, '_MAX_DEATHS', 1000)
    (result,) = runner.fuzz([ODD], tmp_path / 'out', inputs=30)
    made = [worker.make_input(ODD, ODD.seeds(tmp_path), 0, i)[1] for i in range(30)]
    assert result.inputs == 30 and result.read == made.count(b'o') and result.refused == made.count(b'r')
    assert len(result.tracebacks) == made.count(b't') + made.count(b'm') and len(result.crashes) == made.count(b'c')
    kept = {path.name for path in (tmp_path / 'out').iterdir()}
    failing = [i for i, data in enumerate(made) if data in (b't', b'm', b'c')]
    assert kept == {f'odd-{i}.x{end}' for i in failing for end in ('', '.txt')}
    assert all((tmp_path / 'out' / f'odd-{i}.x').read_bytes() == made[i] for i in failing)
    crash = made.index(b'c')
    assert 'SIGABRT' in (tmp_path / 'out' / f'odd-{crash}.x.txt').read_text()
    assert any('MemoryError' in text for text in result.tracebacks)


def test_the_command_counts_and_keeps(run_tool: Callable, tmp_path: Path) -> None:
    summary = tmp_path / 'summary.json'
    done = run_tool(
        'fuzz.py', '--only', 'pts', 'lapa', '--inputs', '30', '--out', tmp_path / 'out', '--summary', summary
    )
    assert done.returncode == 0, done.stderr
    assert 'fuzz.inputs = 60, fuzz.tracebacks = 0, fuzz.crashes = 0' in done.stdout
    assert json.loads(summary.read_bytes()) == {'fuzz.inputs': 60, 'fuzz.tracebacks': 0, 'fuzz.crashes': 0}
    kept = tmp_path / 'pts-3.pts'
    kept.write_text('1 2\n1e1000000 3\n')
    again = run_tool('fuzz.py', '--again', kept)
    assert again.returncode == 0 and 'refused' in again.stdout
    assert run_tool('fuzz.py', '--only', 'nothing').returncode == 2


def test_an_unknown_target_is_one_line() -> None:
    assert find_target('pts').name == 'pts'
    with pytest.raises(FaceAlignError, match='nothing: no such target; there are: pts, '):
        find_target('nothing')
