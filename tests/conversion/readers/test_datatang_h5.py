from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facealign.conversion.readers.datatang_h5 import read_datatang_h5
from facealign.errors import FaceAlignError


def _write(path: Path, names: list[str], parts: np.ndarray) -> Path:
    h5py = pytest.importorskip('h5py')
    with h5py.File(path, 'w') as file:
        file['imgname'] = np.array([[ord(letter) for letter in name] for name in names], dtype=np.int32)
        file['bndbox'] = np.zeros((len(names), 1, 4))
        file['part'] = parts
    return path


def test_faces_of_the_file(tmp_path: Path, put_image: Callable[..., Path]) -> None:
    for name in ('images/s1/000001.jpg', 'images/000002.jpg', 'images/000003.jpg'):
        put_image(tmp_path / name)
    parts = np.random.default_rng(0).uniform(10, 90, (3, 106, 2))
    parts[0, 5] = 0
    path = _write(tmp_path / 'annot_coco.h5', ['000001.jpg', '000002.jpg', '000009.jpg'], parts)
    gathered = read_datatang_h5(path, tmp_path / 'images', workers=1)
    first, second = gathered.faces
    assert (first.file_name, second.file_name) == ('s1/000001.jpg', '000002.jpg')
    assert first.keypoints_visible.tolist() == [2] * 5 + [0] + [2] * 100
    assert np.array_equal(second.points, parts[1]) and second.attributes == {}
    assert {left.file: left.reason for left in gathered.left_out} == {
        '000009.jpg': 'no image for the annotation',
        '000003.jpg': 'image without annotation',
    }


def test_wrong_files_are_one_line(tmp_path: Path) -> None:
    (tmp_path / 'a.h5').write_bytes(b'no HDF5')
    with pytest.raises(FaceAlignError, match='not an annot_coco.h5'):
        read_datatang_h5(tmp_path / 'a.h5', tmp_path)
    path = _write(tmp_path / 'b.h5', ['a.jpg'], np.zeros((1, 17, 2)))
    with pytest.raises(FaceAlignError, match=r'part is \(1, 17, 2\), not \(1, 106, 2\)'):
        read_datatang_h5(path, tmp_path)
    with pytest.raises(FaceAlignError, match='no annotated face found'):
        read_datatang_h5(_write(tmp_path / 'c.h5', ['a.jpg'], np.ones((1, 106, 2))), tmp_path)


def test_what_is_stored_elsewhere_or_only_claimed_is_not_read(tmp_path: Path) -> None:
    h5py = pytest.importorskip('h5py')
    whole = _write(tmp_path / 'whole.h5', ['a.jpg'], np.ones((1, 106, 2)))
    with h5py.File(tmp_path / 'link.h5', 'w') as file:
        file['imgname'] = h5py.ExternalLink(str(whole), '/imgname')
        file['part'] = np.ones((1, 106, 2))
    with h5py.File(tmp_path / 'external.h5', 'w') as file:
        file['imgname'] = np.array([[97]])
        (tmp_path / 'secret').write_bytes(bytes(8 * 212))
        file.create_dataset('part', (1, 106, 2), 'f8', external=[(str(tmp_path / 'secret'), 0, 8 * 212)])
    with h5py.File(tmp_path / 'claim.h5', 'w') as file:
        file['imgname'] = np.array([[97]])
        file.create_dataset('part', (10**6, 106, 2), 'f8')
    with h5py.File(tmp_path / 'text.h5', 'w') as file:
        file['imgname'], file['part'] = np.array([[97]]), 'text'
    with h5py.File(tmp_path / 'group.h5', 'w') as file:
        file.create_group('imgname')
    with h5py.File(tmp_path / 'codes.h5', 'w') as file:
        file['imgname'], file['part'] = np.array([[0xD800, -1]]), np.ones((1, 106, 2))
    for name, reason in (
        ('link', 'imgname is not stored in it'),
        ('external', 'part is not an array of numbers in it'),
        ('claim', 'part claims to be larger'),
        ('text', 'part is not an array of numbers'),
        ('group', 'imgname is not stored in it'),
        ('codes', 'no characters'),
    ):
        with pytest.raises(FaceAlignError, match=f'{name}.h5: not an annot_coco.h5 .*{reason}'):
            read_datatang_h5(tmp_path / f'{name}.h5', tmp_path)


def test_without_h5py_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def refuse(name: str, *args: Any) -> Any:
        if name == 'h5py':
            raise ImportError(name)
        return real_import(name, *args)

    monkeypatch.setattr(builtins, '__import__', refuse)
    with pytest.raises(FaceAlignError, match='pip install h5py'):
        read_datatang_h5(tmp_path / 'annot_coco.h5', tmp_path)
