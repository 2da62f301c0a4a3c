from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from facealign.errors import FaceAlignError
from facealign.files import atomic_path, atomic_write_bytes, atomic_write_json, atomic_write_text, ensure_writable


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
