from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facealign.conversion.readers.w300 import read_300w
from facealign.errors import FaceAlignError

OFFICIAL = {
    'afw/1_1.jpg': ('train', 'train'),
    'helen/trainset/2_1.jpg': ('train', 'train'),
    'lfpw/trainset/image_0001.png': ('train', 'train'),
    'helen/testset/3_1.jpg': ('test_common', 'common'),
    'lfpw/testset/image_0001.png': ('test_common', 'common'),
    'ibug/image_003_1.jpg': ('test_challenge', 'challenge'),
    'ibug/image_050 _01.jpg': ('test_challenge', 'challenge'),
    '300W/01_Indoor/indoor_001.png': ('test_private', 'private'),
    '300W/02_Outdoor/outdoor_001.png': ('test_private', 'private'),
}


@pytest.mark.parametrize('change', [str, str.upper], ids=['official names', 'capitals'])
def test_official_folders(tmp_path: Path, put_face: Callable[..., np.ndarray], change: Callable[[str], str]) -> None:
    for seed, name in enumerate(OFFICIAL):
        folder, _, file = name.rpartition('/')
        put_face(tmp_path / change(folder) / file, seed=seed)
    put_face(tmp_path / 'others/a.jpg')
    gathered = read_300w(tmp_path)
    # LFPW's two image_0001.png do not clash.
    found = {face.file_name.lower(): (face.split, face.subset) for face in gathered.faces}
    assert found == {name.lower(): value for name, value in OFFICIAL.items()}
    assert [(left.file, left.reason) for left in gathered.left_out] == [('others/a.jpg', 'folder not part of 300W')]
    assert {face.source for face in gathered.faces} >= {'300w/ibug', '300w/lfpw/testset', '300w/01_indoor'}


def test_the_root_may_be_one_of_the_folders(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    put_face(tmp_path / 'helen/testset/3_1.jpg')
    (face,) = read_300w(tmp_path / 'helen/testset').faces
    assert (face.split, face.file_name) == ('test_common', '3_1.jpg')


def test_the_pack_s_folders(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    for dataset in ('300W', 'Menpo'):
        for split in ('train', 'test'):
            put_face(tmp_path / dataset / split / 'image_0001.jpg')
    put_face(tmp_path / 'Menpo/train/aflw_profile.jpg', num_points=39)
    gathered = read_300w(tmp_path)
    assert {(face.file_name, face.split, face.subset) for face in gathered.faces} == {
        (f'{dataset}/{split}/image_0001.jpg', split, dataset.lower())
        for dataset in ('300W', 'Menpo')
        for split in ('train', 'test')
    }
    assert [left.reason for left in gathered.left_out] == ['profile face (39 points)']


def test_no_such_folders(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    put_face(tmp_path / 'mine/a.jpg')
    with pytest.raises(FaceAlignError, match='folder not part of 300W'):
        read_300w(tmp_path)


def test_real_faces(shared: Path) -> None:
    gathered = read_300w(shared / 'data/300w')
    assert Counter(face.source for face in gathered.faces) == {
        '300w/afw': 337,
        '300w/helen/trainset': 870,
        '300w/lfpw/trainset': 805,
        '300w/helen/testset': 330,
        '300w/lfpw/testset': 224,
    }
    assert Counter(face.split for face in gathered.faces) == {'train': 2012, 'test_common': 554}
    assert gathered.left_out == []
    off = [face.points_off_image for face in gathered.faces]
    assert 0 < sum(count > 0 for count in off) < 100  # some points lie slightly outside
    assert max(off) < 20
