from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facealign.conversion.readers.pts_folder import read_pts_folder
from facealign.errors import FaceAlignError
from facealign.io.pts import write_pts


def test_images_with_points_in_any_folder(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    expected = {
        'a.png': put_face(tmp_path / 'a.png', seed=1),
        'sub folder/b.v2.jpg': put_face(tmp_path / 'sub folder/b.v2.jpg', seed=2),
        'sub folder/deep/é.JPEG': put_face(tmp_path / 'sub folder/deep/é.JPEG', seed=3),
    }
    put_face(tmp_path / '.hidden/c.jpg')
    put_face(tmp_path / '__MACOSX/c.jpg')
    gathered = read_pts_folder(tmp_path)
    assert gathered.left_out == [] and gathered.num_images == gathered.num_annotations == 3
    assert {face.file_name for face in gathered.faces} == expected.keys()
    for face in gathered.faces:
        assert np.array_equal(face.points, expected[face.file_name])
        assert face.size == (120, 100) and face.split == 'train' and face.path.is_file()
        assert face.keypoints_visible.tolist() == [2] * 68


def test_several_faces_of_one_image(shared: Path) -> None:
    # photos/ holds afw_ID.jpg with one headerless afw_ID.K.pts a face, and images without points.
    root = shared / 'data/photos'
    gathered = read_pts_folder(root)
    assert len(gathered.faces) == len(list(root.glob('*.pts')))
    assert len({face.file_name for face in gathered.faces}) == 4
    assert {left.reason for left in gathered.left_out} == {'image without .pts'}


def _break(folder: Path, put_image: Callable[..., Path], put_face: Callable[..., np.ndarray]) -> dict[str, str]:
    """Put one of each broken input into ``folder``; file to the reason expected."""
    put_face(folder / 'whole.jpg')
    put_face(folder / 'cut.jpg')
    data = (folder / 'cut.jpg').read_bytes()
    (folder / 'cut.jpg').write_bytes(data[: len(data) // 2])
    put_face(folder / 'empty.jpg')
    (folder / 'empty.pts').write_text('')
    put_image(folder / 'alone.jpg')
    put_face(folder / 'twice.jpg')
    put_image(folder / 'twice.png')
    put_face(folder / 'lost.jpg')
    (folder / 'lost.jpg').unlink()
    put_face(folder / 'text.jpg')
    (folder / 'text.jpg').write_text('no image')
    put_face(folder / 'dangling.jpg')
    (folder / 'dangling.jpg').unlink()
    (folder / 'dangling.jpg').symlink_to('nowhere.jpg')
    put_face(folder / 'letters.jpg')
    (folder / 'letters.pts').write_text('1 2\nx y\n')
    put_face(folder / 'profile.jpg', num_points=39)
    put_face(folder / 'nan.jpg')
    write_pts(folder / 'nan.pts', np.full((68, 2), np.nan))
    put_face(folder / 'line.jpg')
    write_pts(folder / 'line.pts', np.stack([np.full(68, 30.0), np.arange(68)], axis=1))
    put_face(folder / 'far.jpg')
    write_pts(folder / 'far.pts', np.random.default_rng(0).uniform(500, 600, (68, 2)))
    return {
        'cut.jpg': 'truncated image',
        'empty.pts': 'empty .pts',
        'alone.jpg': 'image without .pts',
        'twice.pts': 'several images for one .pts',
        'lost.pts': 'no image for the .pts',
        'text.jpg': 'unreadable image',
        'dangling.jpg': 'unreadable image',
        'letters.pts': 'unreadable .pts',
        'profile.pts': 'not 68 points',
        'nan.pts': 'every point is missing',
        'line.pts': 'points all on one line',
        'far.pts': 'every point off the image',
    }


def test_every_broken_input_is_named_with_its_reason(
    tmp_path: Path, put_image: Callable[..., Path], put_face: Callable[..., np.ndarray]
) -> None:
    expected = _break(tmp_path, put_image, put_face)
    gathered = read_pts_folder(tmp_path)
    assert [face.file_name for face in gathered.faces] == ['whole.jpg']
    assert {left.file: left.reason for left in gathered.left_out} == expected
    assert all('\n' not in left.detail and str(tmp_path) not in left.detail for left in gathered.left_out)
    assert gathered.num_images == 13 and gathered.num_annotations == 12


def test_an_unreadable_file_is_left_out(
    tmp_path: Path, put_face: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_face(tmp_path / 'a.jpg')
    put_face(tmp_path / 'b.jpg')
    open_file = os.open

    def refuse(path: str, *how: int) -> int:
        if str(path).endswith('a.pts'):
            raise PermissionError(13, 'Permission denied')
        return open_file(path, *how)

    monkeypatch.setattr(os, 'open', refuse)
    (left,) = read_pts_folder(tmp_path).left_out
    assert (left.file, left.reason) == ('a.pts', 'unreadable .pts') and 'Permission denied' in left.detail


def test_points_drawn_on_the_stored_pixels(tmp_path: Path) -> None:
    # A 120 x 80 picture that its tag turns by a quarter: (x, y) becomes (79 - y, x) of 80 x 120.
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (120, 80)).save(tmp_path / 'a.jpg', exif=exif)
    points = np.random.default_rng(0).uniform(5, 75, (68, 2)).round(2)
    write_pts(tmp_path / 'a.pts', points)
    shown, stored = (read_pts_folder(tmp_path, exif=exif) for exif in ('shown', 'stored'))
    assert shown.num_turned == stored.num_turned == 1
    assert shown.faces[0].size == stored.faces[0].size == (80, 120)
    assert np.array_equal(shown.faces[0].points, points)
    assert stored.faces[0].points == pytest.approx(np.stack([79 - points[:, 1], points[:, 0]], axis=1))


def test_a_wrong_folder_is_one_line(
    tmp_path: Path, put_image: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FaceAlignError, match='no such folder'):
        read_pts_folder(tmp_path / 'absent')
    with pytest.raises(FaceAlignError, match='no annotated face found: no annotation files'):
        read_pts_folder(tmp_path)
    put_image(tmp_path / 'a.jpg')
    with pytest.raises(FaceAlignError, match=r'image without \.pts \(a\.jpg\)'):
        read_pts_folder(tmp_path)

    def refuse(folder: Path) -> None:
        raise PermissionError(13, 'Permission denied', str(folder))

    monkeypatch.setattr('os.scandir', refuse)
    with pytest.raises(FaceAlignError, match='cannot be listed'):
        read_pts_folder(tmp_path)


def test_points_written_as_zero_or_minus_one_are_not_annotated(
    tmp_path: Path, put_face: Callable[..., np.ndarray]
) -> None:
    points = put_face(tmp_path / 'a.jpg')
    rows = (tmp_path / 'a.pts').read_text().splitlines()
    (tmp_path / 'a.pts').write_text('\n'.join([*rows[:3], '-1 -1', '0.0 0.0', *rows[5:]]))
    (face,) = read_pts_folder(tmp_path).faces
    assert not face.annotated[:2].any() and np.array_equal(face.points[2:], points[2:])


@pytest.mark.parametrize(
    ('points', 'reason', 'detail'),
    [
        (np.full((68, 2), -1.0), 'every point is missing', ''),
        (np.r_[np.arange(32.0).reshape(16, 2) * 3, np.full((52, 2), np.nan)], 'too few points', '16 of 68'),
        (np.linspace(20, 27.9, 136).reshape(68, 2), 'face too small', '7.84 x 7.84 pixels'),
        (np.c_[np.linspace(20, 60, 68), np.full(68, 30.0)], 'points all on one line', ''),
        (np.random.default_rng(0).uniform(-90, -20, (68, 2)), 'every point off the image', ''),
    ],
)
def test_a_face_of_no_use_is_left_out_with_its_reason(
    tmp_path: Path, put_face: Callable[..., np.ndarray], points: np.ndarray, reason: str, detail: str
) -> None:
    put_face(tmp_path / 'good.jpg')
    put_face(tmp_path / 'odd.jpg')
    lines = '\n'.join('0 0' if x == -1 else f'{x + 1} {y + 1}' for x, y in points.tolist())
    (tmp_path / 'odd.pts').write_text(lines)
    gathered = read_pts_folder(tmp_path)
    assert [face.file_name for face in gathered.faces] == ['good.jpg']
    assert [(left.file, left.reason, left.detail) for left in gathered.left_out] == [('odd.pts', reason, detail)]


def test_a_file_of_two_faces_is_left_out_not_halved(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    for name in ('a', 'b'):
        put_face(tmp_path / f'{name}.jpg')
    text = (tmp_path / 'b.pts').read_text()
    (tmp_path / 'b.pts').write_text(text + text)
    (left,) = read_pts_folder(tmp_path).left_out
    assert (left.file, left.reason) == ('b.pts', 'several faces in one .pts') and 'line 75' in left.detail


def test_kinds_that_are_not_read_stand_back_or_are_named(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    for name in ('a', 'b'):
        put_face(tmp_path / f'{name}.jpg')
    (tmp_path / 'a.nef').write_bytes(b'II*\0' + bytes(99))  # a camera's own file beside its JPEG
    (tmp_path / 'b.jpg').unlink()
    (tmp_path / 'b.jp2').write_bytes(b'\0\0\0\x0cjP  \r\n\x87\n' + bytes(99))
    gathered = read_pts_folder(tmp_path)
    assert [face.file_name for face in gathered.faces] == ['a.jpg']
    left = {left.file: left for left in gathered.left_out}
    assert left['b.jp2'].reason == 'unreadable image' and 'JPEG 2000' in left['b.jp2'].detail
