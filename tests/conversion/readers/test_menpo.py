from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facealign.conversion.readers.menpo import read_menpo
from facealign.errors import FaceAlignError


def test_profiles_are_counted_and_left_out(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    put_face(tmp_path / 'trainset/semifrontal/aflw__face_1.jpg')
    put_face(tmp_path / 'trainset/profile/aflw__face_2.jpg', num_points=39)
    put_face(tmp_path / 'trainset/profile/aflw__face_3.jpg', num_points=39)
    put_face(tmp_path / 'testset/semifrontal/fddb__face_4.jpg')
    put_face(tmp_path / 'trainset/semifrontal/odd.jpg', num_points=51)
    gathered = read_menpo(tmp_path)
    assert {(face.file_name, face.split, face.subset) for face in gathered.faces} == {
        ('trainset/semifrontal/aflw__face_1.jpg', 'train', 'menpo'),
        ('testset/semifrontal/fddb__face_4.jpg', 'test', 'menpo'),
    }
    reasons = [left.reason for left in gathered.left_out]
    assert sorted(reasons) == ['not 68 points', 'profile face (39 points)', 'profile face (39 points)']


def test_of_a_pack_only_menpo_is_read(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    for name in ('300W/train/a.jpg', 'Menpo/train/a.jpg', 'Menpo/test/b.jpg'):
        put_face(tmp_path / name)
    gathered = read_menpo(tmp_path)
    assert [(face.source, face.split) for face in gathered.faces] == [('menpo/test', 'test'), ('menpo/train', 'train')]


def test_only_profiles(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    put_face(tmp_path / 'a.jpg', num_points=39)
    with pytest.raises(FaceAlignError, match=r'profile face \(39 points\) \(a\.pts\)'):
        read_menpo(tmp_path)
