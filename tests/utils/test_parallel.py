from __future__ import annotations

import multiprocessing
import os

import pytest

from facealign.errors import FaceAlignError
from facealign.utils.parallel import default_workers, run_parallel

_offset = 0


def _set_offset(value: int) -> None:
    global _offset
    _offset = value


def _add(item: int) -> int:
    return item + _offset


def _fail(item: int) -> int:
    if item == 11:
        raise FaceAlignError('file 11: cannot be written; make room')
    return item


def _die(item: int) -> int:
    if multiprocessing.parent_process() is not None:
        os._exit(9)
    return item


@pytest.mark.parametrize('workers', [1, 2])
def test_results_come_in_order(workers: int) -> None:
    results = run_parallel(_add, range(40), 'adding', workers, _set_offset, (1000,))
    assert results == list(range(1000, 1040))


def test_nothing_to_do() -> None:
    assert run_parallel(_fail, [], 'nothing') == []


def test_an_error_in_a_worker_arrives_as_it_is() -> None:
    with pytest.raises(FaceAlignError, match='file 11: cannot be written; make room'):
        run_parallel(_fail, range(40), 'failing', 2)


def test_a_worker_that_dies_is_one_line() -> None:
    with pytest.raises(FaceAlignError, match='dying: a worker process ended unexpectedly'):
        run_parallel(_die, range(40), 'dying', 2)


def test_at_least_one_worker() -> None:
    assert default_workers() >= 1
