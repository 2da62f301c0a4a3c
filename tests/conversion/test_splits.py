from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.conversion.readers.w300 import read_300w
from facealign.conversion.split_option import hold_out_val
from facealign.conversion.splits import (
    assign_photos,
    photo_id,
    photos_on_both_sides,
    split_by_csv,
    split_by_lists,
    split_by_number,
    split_by_ratio,
)
from facealign.errors import FaceAlignError
from facealign.structures.records import FaceRecord


def _face(name: str, photo: str = '', root: Path = Path()) -> FaceRecord:
    return FaceRecord(root, name, np.array([[1.0, 1], [5, 5]]), (10, 10), 'test', 'unset', photo=photo or name)


@pytest.mark.parametrize(
    ('a', 'b', 'same'),
    [
        ('afw/18489332_1.jpg', 'afw/18489332_11.jpg', True),
        ('afw/18489332_1.jpg', 'helen/trainset/18489332_1.jpg', True),  # one number of one photo site
        ('ibug/image_003_1.jpg', 'ibug/image_003_2.jpg', True),
        ('ibug/image_050 _01.jpg', 'ibug/image_050 _02.jpg', True),
        ('lfpw/trainset/image_0001.png', 'lfpw/testset/image_0001.png', False),  # two different pictures
        ('lfpw/trainset/image_0001.png', 'lfpw/trainset/image_0002.png', False),
        ('01_Indoor/indoor_001.png', '01_Indoor/indoor_002.png', False),
        ('session01/000001.jpg', 'session02/000001.jpg', False),
        ('afw/18489332_1.jpg', 'afw/18489332_1_mirror.jpg', True),
        ('helen/trainset/146827737_1.jpg', 'helen/trainset/146827737_1-flipped.png', True),
        ('ibug/image_003_1.jpg', 'ibug/image_003_2_mirror.jpg', True),
        ('a/x.jpg', 'a/X_Mirror.JPG', False),  # on most systems two files, and two people's
        ('a/x.jpg', 'a/x_Mirror.JPG', True),
        ('a/mirror.jpg', 'a/flip.jpg', False),
    ],
)
def test_which_names_show_one_photo(a: str, b: str, same: bool) -> None:
    assert (photo_id(a) == photo_id(b)) == same


def test_equal_bytes_are_one_photo_under_any_name(tmp_path: Path, put_image: Callable[..., Path]) -> None:
    put_image(tmp_path / 'a/x.png', seed=1)
    put_image(tmp_path / 'b/7_1.png', seed=2)
    put_image(tmp_path / 'b/7_2.png', seed=3)
    (tmp_path / 'c').mkdir()
    shutil.copy(tmp_path / 'b/7_2.png', tmp_path / 'c/y.png')
    # Same length and same end, but not the same picture.
    data = bytearray((tmp_path / 'a/x.png').read_bytes())
    data[40] ^= 1
    (tmp_path / 'c/z.png').write_bytes(data)
    faces = [_face(name, root=tmp_path) for name in ('a/x.png', 'b/7_1.png', 'b/7_2.png', 'c/y.png', 'c/z.png')]
    assign_photos(faces)
    x, first, second, copy, other = [face.photo for face in faces]
    assert first == second == copy
    assert len({x, first, other}) == 3


def test_faces_known_to_be_one_photo_join_all_their_namesakes(tmp_path: Path, put_image: Callable[..., Path]) -> None:
    names = ['a/7_1.png', 'a/7_2.png', 'b/x.png', 'b/y.png', 'c/z.png']
    for seed, name in enumerate(names):
        put_image(tmp_path / name, seed=seed)
    faces = [_face(name, root=tmp_path) for name in names]
    assign_photos(faces, [[faces[1], faces[2]], [faces[2], faces[3]]])
    assert len({face.photo for face in faces[:4]}) == 1 and faces[4].photo != faces[0].photo


def test_a_copy_found_later_takes_its_photo_out_of_a_drawn_part_and_changes_nothing_else() -> None:
    faces = [_face(f'{i}.jpg') for i in range(1000)]
    split_by_ratio(faces, {'train': 0.8, 'test': 0.2}, seed=0)
    before = {face.file_name: face.split for face in faces}
    train, test = ([face for face in faces if face.split == split] for split in ('train', 'test'))
    for a, b in zip(train[:7], test):
        a.photo = b.photo = f'both {a.file_name}'
    for a, b in zip(train[100:120:2], train[101:121:2]):
        a.photo = b.photo = f'train {a.file_name}'
    for a, b in zip(test[100:120:2], test[101:121:2]):
        a.photo = b.photo = f'test {a.file_name}'
    split_by_ratio(faces, {'train': 0.8, 'test': 0.2}, seed=0)
    changed = {face.file_name for face in faces if face.split != before[face.file_name]}
    assert changed == {face.file_name for face in test[:7]}


def test_where_every_photo_has_copies_a_drawn_part_is_as_large_as_asked() -> None:
    faces = [_face(f'{i}.jpg', f'photo {i // 3}') for i in range(900)]
    split_by_ratio(faces, {'train': 0.8, 'test': 0.2}, seed=0)
    assert photos_on_both_sides(faces) == []
    assert sum(face.split == 'test' for face in faces) == 180


@given(st.lists(st.integers(0, 12), min_size=20, max_size=80), st.integers(0, 5))
def test_a_draw_keeps_photos_together_and_is_repeatable(photos: list[int], seed: int) -> None:
    faces = [_face(f'{i}.jpg', f'p{photo}') for i, photo in enumerate(photos)]
    shares = {'train': 0.6, 'val': 0.2, 'test': 0.2}
    try:
        split_by_ratio(faces, shares, seed)
    except ValueError:  # a photo larger than its share
        return
    assert photos_on_both_sides(faces) == []
    assert {face.split for face in faces} == shares.keys()
    shuffled = [_face(face.file_name, face.photo) for face in reversed(faces)]
    split_by_ratio(shuffled, shares, seed)
    assert {face.file_name: face.split for face in shuffled} == {face.file_name: face.split for face in faces}


def test_shares_are_met_and_seeds_differ() -> None:
    def draw(seed: int) -> list[str]:
        faces = [_face(f'{i}.jpg') for i in range(1000)]
        split_by_ratio(faces, {'train': 0.8, 'val': 0.1, 'test': 0.1}, seed)
        return [face.split for face in faces]

    first = draw(0)
    assert {name: first.count(name) for name in ('train', 'val', 'test')} == {'train': 800, 'val': 100, 'test': 100}
    assert draw(0) == first != draw(1)


@pytest.mark.parametrize('shares', [{'a': 0.5, 'b': 0.6}, {'a': 1.2, 'b': -0.2}, {'a': 0, 'b': 1.0}])
def test_impossible_shares(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match='share'):
        split_by_ratio([_face(f'{i}.jpg') for i in range(9)], shares, 0)


def test_too_few_photos() -> None:
    with pytest.raises(ValueError, match='9 faces of 1 photos are too few'):
        split_by_ratio([_face(f'{i}.jpg', 'p') for i in range(9)], {'train': 0.5, 'test': 0.5}, 0)


def test_by_number() -> None:
    faces = [_face(f's/{n}.jpg') for n in ('000010', '000011', 'ce_000022', '3', 'v2_1009')]
    split_by_number(faces)
    assert [face.split for face in faces] == ['test', 'test', 'val', 'train', 'train']
    with pytest.raises(FaceAlignError, match='no number'):
        split_by_number([_face('7/face.jpg')])


def test_by_lists(tmp_path: Path) -> None:
    (tmp_path / 'names_for_test.txt').write_text('session01\\1.jpg\n9.jpg\n')
    (tmp_path / 'val.txt').write_text('2\n')
    faces = [_face(f'session01/{n}.jpg') for n in (1, 2, 3)]
    unlisted, absent = split_by_lists(faces, [tmp_path / 'names_for_test.txt', tmp_path / 'val.txt'])
    assert [face.split for face in faces] == ['test', 'val', 'train']
    assert unlisted == [] and absent == ['9.jpg']
    # With a train list the faces that no list names are in no split.
    (tmp_path / 'train.txt').write_text('3.jpg\n')
    unlisted, _ = split_by_lists(faces, [tmp_path / 'train.txt', tmp_path / 'names_for_test.txt'])
    assert [face.file_name for face in unlisted] == ['session01/2.jpg']
    (tmp_path / 'train.txt').write_text('1.jpg\n')
    with pytest.raises(FaceAlignError, match='is on another list too'):
        split_by_lists(faces, [tmp_path / 'names_for_test.txt', tmp_path / 'train.txt'])
    (tmp_path / 'train.txt').write_text('8.jpg\n')
    with pytest.raises(FaceAlignError, match='names none of the images'):
        split_by_lists(faces, [tmp_path / 'train.txt'])


def test_by_csv(tmp_path: Path) -> None:
    path = tmp_path / 'split.csv'
    path.write_text('split,image\ntest,a/1.jpg\nTrain,a/2.jpg\ntrain,gone.jpg\n')
    faces = [_face(f'a/{n}.jpg') for n in (1, 2, 3)]
    unlisted, absent = split_by_csv(faces, path)
    assert [face.split for face in faces[:2]] == ['test', 'train']
    assert unlisted == faces[2:] and absent == ['gone.jpg']


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('image,split\n1.jpg,train\n1.jpg,test\n', 'in several splits: test, train'),
        ('image,split\n1.jpg,../evil\n', 'is no name'),
        ('image,split\n1.jpg,\n', 'is no name'),
        ('image,split\n1.jpg,Summary\n', 'cannot be called "summary"'),
        ('image,side\n1.jpg,train\n', 'no column split or train_type'),
        ('image,split\nx.jpg,train\n', 'names none of the images'),
    ],
)
def test_a_broken_split_list_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / 'split.csv').write_text(text)
    with pytest.raises(FaceAlignError, match=message):
        split_by_csv([_face('1.jpg')], tmp_path / 'split.csv')


def test_real_300w(shared: Path) -> None:
    root = shared / 'data/300w'
    faces = read_300w(root).faces
    assign_photos(faces)
    # AFW has several faces of one photo; LFPW uses the same names for different pictures in its two folders.
    afw = [face for face in faces if face.source == '300w/afw']
    assert len({face.photo for face in afw}) < len(afw) == 337
    lfpw = [{Path(f.file_name).name for f in faces if f.source == f'300w/lfpw/{s}'} for s in ('trainset', 'testset')]
    assert lfpw[0] & lfpw[1]
    assert len({face.photo for face in faces if 'lfpw' in face.source}) == sum(map(len, lfpw))
    # The official split shares no photo between train and test; the pack's does, and so says the summary.
    assert photos_on_both_sides(faces) == []
    split_by_ratio(faces, {'train': 0.85, 'test': 0.15}, 0)
    assert photos_on_both_sides(faces) == []
    assert sum(face.split == 'test' for face in faces) == round(0.15 * 2566)
    unlisted, absent = split_by_csv(faces, root / 'visionlabs_split.csv')
    assert (len(unlisted), absent) == (265, [])
    listed = [face for face in faces if face not in unlisted]
    assert [sum(face.split == split for face in listed) for split in ('train', 'test')] == [2067, 234]
    assert photos_on_both_sides(listed)


def test_val_is_checked_always_and_replaces_no_fit_that_is_given() -> None:
    faces = [_face(f'{i}.jpg') for i in range(9)]
    with pytest.raises(FaceAlignError, match='--val modulo: not random:SHARE'):
        hold_out_val({'test': faces}, 'modulo', 0, required=True)
    given = {'train': faces[:6], 'fit': faces[6:]}
    hold_out_val(given, 'random:0.3', 0, required=True)
    assert given == {'train': faces[:6], 'fit': faces[6:]}
