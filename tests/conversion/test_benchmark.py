from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from facealign.conversion.benchmark import link_faces, peak_memory, run
from facealign.errors import FaceAlignError


def test_copies_by_name(tmp_path: Path, put_datatang: Callable[..., None]) -> None:
    for i in range(3):
        put_datatang(tmp_path / f'src/{i:06d}.jpg', seed=i)
    link_faces(tmp_path / 'src', tmp_path / 'faces', 20)
    links = sorted((tmp_path / 'faces').glob('session*/*.json'))
    assert len(links) == 20 and len({link.resolve() for link in links}) == 3
    assert all(link.with_suffix('.jpg').resolve().is_file() for link in links)
    with pytest.raises(FaceAlignError, match=r'no NAME\.jpg with NAME\.json'):
        link_faces(tmp_path, tmp_path / 'more', 2)


@pytest.mark.skipif(not os.path.isdir('/proc/self/task'), reason='needs /proc, which Linux has')
def test_memory_of_a_process_and_its_child() -> None:
    hold = "x = b'1' * (300 << 20); import time; time.sleep(1)"
    alone = peak_memory([sys.executable, '-c', hold])
    assert 0.29 < alone < 0.35
    both = f'import subprocess, sys; subprocess.run([sys.executable, "-c", {hold!r}]); {hold}'
    child_first = peak_memory([sys.executable, '-c', f"y = b'1' * (200 << 20); {both}"])
    assert 0.49 < child_first < 0.56
    with pytest.raises(FaceAlignError, match='status 3'):
        peak_memory([sys.executable, '-c', 'raise SystemExit(3)'])


def test_the_measurement_runs(tmp_path: Path, put_datatang: Callable[..., None]) -> None:
    for i in range(12):  # photos enough for three parts
        put_datatang(tmp_path / f'{i:06d}.jpg', seed=i)
    config = Path(__file__).parents[2] / 'configs/yinnet/yinnet_128_datatang106.py'
    found = run(argparse.Namespace(src=tmp_path, faces=60, config=config))
    assert found.keys() == {'convert.datatang0k.gib', 'load.datatang0k.gib'}
    assert 0.03 < found['convert.datatang0k.gib'] < 1 and 0.1 < found['load.datatang0k.gib'] < 3
