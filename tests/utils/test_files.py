from __future__ import annotations

import csv
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facealign.errors import FaceAlignError
from facealign.utils.files import (
    atomic_path,
    atomic_write_bytes,
    atomic_write_csv,
    atomic_write_json,
    atomic_write_text,
    ensure_writable,
    sweep_partial,
)


def test_folders_are_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    atomic_write_text(tmp_path / 'new/deep/a.txt', 'é\n')
    assert (tmp_path / 'new/deep/a.txt').read_bytes() == 'é\n'.encode()
    assert [path.name for path in (tmp_path / 'new/deep').iterdir()] == ['a.txt']


def test_the_temporary_name_keeps_the_suffix(tmp_path: Path) -> None:
    with atomic_path(tmp_path / 'a.png') as temporary:
        assert temporary.suffix == '.png' and temporary.parent == tmp_path
        temporary.write_bytes(b'x')
        assert not (tmp_path / 'a.png').exists()
    assert (tmp_path / 'a.png').read_bytes() == b'x'


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / 'a.json'
    atomic_write_json(path, {'old': 1})
    with pytest.raises(ValueError):
        atomic_write_json(path, {'bad': float('nan')})
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text('half')
        raise RuntimeError
    with pytest.raises(FaceAlignError, match='No space left'), atomic_path(path) as temporary:
        temporary.write_text('half')
        raise OSError(errno.ENOSPC, 'No space left on device')
    assert json.loads(path.read_text()) == {'old': 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ['a.json']


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    # /dev/full takes no byte.
    if not Path('/dev/full').exists():
        pytest.skip('needs /dev/full')
    with pytest.raises(FaceAlignError, match='No space left') as caught, atomic_path(tmp_path / 'a.bin') as temporary:
        temporary.symlink_to('/dev/full')
        temporary.write_bytes(b'x' * 100_000)
    assert '\n' not in str(caught.value) and 'a.bin' in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_no_permission_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, data: bytes) -> int:
        raise PermissionError(errno.EACCES, 'Permission denied')

    monkeypatch.setattr(Path, 'write_bytes', refuse)
    with pytest.raises(FaceAlignError, match='Permission denied'):
        atomic_write_bytes(tmp_path / 'a', b'x')
    with pytest.raises(FaceAlignError, match='choose another --out'):
        ensure_writable(tmp_path)


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / 'a').write_text('')
    with pytest.raises(FaceAlignError, match='cannot be written'):
        atomic_write_text(tmp_path / 'a/b.txt', 'x')
    with pytest.raises(FaceAlignError, match='cannot be written'):
        ensure_writable(tmp_path / 'a')


def test_ensure_writable_makes_the_folder_and_leaves_it_empty(tmp_path: Path) -> None:
    assert list(ensure_writable(tmp_path / 'new/out').iterdir()) == []


def test_json_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    for name in ('a', 'b'):
        atomic_write_json(tmp_path / name, {'x': [1.5, None], 'é': 'ü'})
    assert (tmp_path / 'a').read_bytes() == (tmp_path / 'b').read_bytes() == '{"x":[1.5,null],"é":"ü"}\n'.encode()


def test_a_name_that_fills_what_a_file_system_allows(tmp_path: Path) -> None:
    for name in ('x' * 251 + '.pts', 'é' * 125 + '.png'):
        atomic_write_text(tmp_path / name, 'x')
        with atomic_path(tmp_path / name) as temporary:
            assert temporary.suffix == Path(name).suffix and len(os.fsencode(temporary.name)) < 255
            temporary.write_text('y')
    assert sorted(path.name[0] for path in tmp_path.iterdir()) == ['x', 'é']


def test_what_killed_processes_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, '-c', ''])
    gone.wait()
    (tmp_path / 'a').mkdir()
    left = [
        f'a/.x.{gone.pid}.part.png',
        f'.y.{gone.pid}.part',
        f'.facealign.{gone.pid}.probe',
        f'.z.{os.getpid()}.part.j',
    ]
    kept = [f'.x.{os.getppid()}.part.png', 'x.1.part.png', '.hidden', '.part.png', f'a/x.{gone.pid}.part.png']
    for name in left + kept:
        (tmp_path / name).touch()
    sweep_partial(tmp_path, below=False)
    assert [(tmp_path / name).exists() for name in left] == [True, False, False, False]
    sweep_partial(tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob('*')} == {'a', *kept}
    os.utime(tmp_path / kept[0], (1e9, 1e9))
    ensure_writable(tmp_path)
    assert not (tmp_path / kept[0]).exists()  # of a process that has another's number by now


def test_cells_are_no_formulas_and_steer_no_terminal(tmp_path: Path) -> None:
    names = [
        '=1+1.jpg',
        '+a.jpg',
        '-b.jpg',
        '@c.jpg',
        'a,"b".jpg',
        '\x1b]0;x\x07.jpg',
        'two\nlines.jpg',
        'caf\udce9.jpg',
    ]
    atomic_write_csv(tmp_path / 'a.csv', [['file', 'x'], *([name, -1.5] for name in names)])
    data = (tmp_path / 'a.csv').read_bytes().decode('utf-8')
    assert all(letter.isprintable() for letter in data.replace('\n', ''))
    with open(tmp_path / 'a.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    found = [row['file'] for row in rows]
    assert [os.path.normpath(name) for name in found[:5]] == names[:5]
    assert not any(name.startswith(('=', '+', '-', '@')) for name in found)
    assert {row['x'] for row in rows} == {'-1.5'} and len(set(found)) == len(names)
