"""What becomes of the page's temporary files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from facealign.inference.serve import scratch as module
from facealign.inference.serve.scratch import EVERY, KEEP, OVERHEAD, PREFIX, WAITING, Scratch

PROJECTS = Path(__file__).resolve().parents[3] / 'projects'


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    return tmp_path


@pytest.fixture
def scratch(temporary: Path):
    scratch = Scratch()
    yield scratch
    scratch.close()
    assert list(temporary.glob('facealign-*')) == []


def upload(scratch: Scratch, name: str = 'a/photo.png') -> Path:
    path = scratch.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'photo')
    return path


def test_files_of_an_answered_request_go_within_a_minute(scratch: Scratch) -> None:
    path = upload(scratch)
    scratch.expect(path)
    scratch.remove_old(time.time() + 60)
    assert path.is_file(), 'its request still waits'
    scratch.answered(path)
    assert KEEP + EVERY < 60
    scratch.remove_old(time.time() + KEEP - 1)
    assert path.is_file()
    scratch.remove_old(time.time() + KEEP + 1)
    assert list(scratch.path.iterdir()) == []


def test_one_of_two_requests_answered(scratch: Scratch) -> None:
    path = upload(scratch)
    scratch.expect(path)
    scratch.expect(path)
    scratch.answered(path)
    scratch.remove_old(time.time() + 60)
    assert path.is_file()
    scratch.answered(path)
    scratch.remove_old(time.time() + 60)
    assert not path.exists()


def test_what_nobody_asks_for_goes_too(scratch: Scratch) -> None:
    left, given_up = upload(scratch, 'left'), upload(scratch)
    scratch.expect(given_up)
    scratch.remove_old(time.time() + 60)
    assert not left.exists() and given_up.is_file()
    scratch.remove_old(time.time() + WAITING + 1)
    assert not given_up.exists()


def test_it_is_done_without_being_asked(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'KEEP', 0.1)
    monkeypatch.setattr(module, 'EVERY', 0.1)
    scratch = Scratch()
    try:
        path = upload(scratch)
        end = time.monotonic() + 30
        while path.exists() and time.monotonic() < end:
            time.sleep(0.05)
        assert not path.exists()
    finally:
        scratch.close()


def test_size_and_place(scratch: Scratch, tmp_path: Path) -> None:
    path = upload(scratch)
    (scratch.path / 'empty').write_bytes(b'')
    assert scratch.size() == 5 + 2 * OVERHEAD
    assert scratch.holds(path) and scratch.holds(scratch.path / 'missing')
    (scratch.path / 'link').symlink_to('/etc/passwd')
    (scratch.path / 'loop').symlink_to('loop')
    outside = ['/etc/passwd', '', '.', scratch.path, f'{scratch.path}/../x', f'{scratch.path}x/y', 'http://a/b', 'a\0b']
    outside += [scratch.path / 'link', f'/{"a" * 5000}', '\udc80', 'c:\\x', '~']
    assert [path for path in outside if scratch.holds(path)] == []
    assert oct(scratch.path.stat().st_mode)[-3:] == '700'


def killed_server(temporary: Path) -> Path:
    """The folder of a process that was killed while it had an upload."""
    code = 'import os; from facealign.inference.serve.scratch import Scratch; s = Scratch(); '
    code += '(s.path / "photo.png").write_bytes(b"photo"); print(s.path, flush=True); os.kill(os.getpid(), 9)'
    environment = {**os.environ, 'TMPDIR': str(temporary), 'PYTHONPATH': str(PROJECTS)}
    done = subprocess.run([sys.executable, '-c', code], env=environment, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL
    return Path(done.stdout.strip())


def test_a_start_sweeps_what_a_killed_one_left_and_nothing_else(temporary: Path) -> None:
    alive = Scratch()
    upload(alive)
    left = killed_server(temporary)
    assert (left / 'photo.png').is_file()
    kept = [temporary / 'facealign-server', temporary / f'{PREFIX}file', temporary / 'mine']
    kept[0].mkdir()
    kept[1].write_text("a file of that name is not a server's")
    kept[2].mkdir()
    (kept[2] / 'photo.png').write_bytes(b'mine')
    (temporary / f'{PREFIX}link').symlink_to(kept[2])
    another = Scratch()
    assert not left.exists()
    assert (alive.path / 'a/photo.png').is_file(), 'of a server side by side'
    assert all(path.exists() for path in kept) and (kept[2] / 'photo.png').is_file()
    another.close()
    assert (alive.path / 'a/photo.png').is_file()
    alive.close()
