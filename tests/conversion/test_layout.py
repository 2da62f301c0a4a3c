from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.conversion.convert import Options, convert
from facealign.conversion.layout import Place, find_places
from facealign.conversion.readers.pts_folder import read_pts_folder
from facealign.errors import FaceAlignError
from facealign.io.pts import write_pts


@pytest.mark.parametrize(
    ('files', 'expected'),
    [
        (['a/1.jpg', 'a/1.pts', 'b/2.jpg'], [Place('a', ('a',)), Place('b', ('b',))]),
        (['images/1.jpg', 'labels/1.pts'], [Place('labels', ('images',))]),
        (['labels/1.pts', '1.jpg'], [Place('labels', ('',))]),
        (['1.pts', 'photos/1.jpg'], [Place('', ('photos',))]),
        (
            ['images/train/1.jpg', 'images/val/1.jpg', 'labels/train/1.pts', 'labels/val/1.pts'],
            [Place('labels/train', ('images/train',)), Place('labels/val', ('images/val',))],
        ),
        (
            ['a/images/1.jpg', 'a/pts/1.pts', 'b/images/1.jpg'],
            [Place('a/pts', ('a/images',)), Place('b/images', ('b/images',))],
        ),
        (['images/1.jpg', 'small/1.jpg', 'labels/1.pts'], [Place('labels', ('images',)), Place('small', ('small',))]),
        (['big/1.jpg', 'small/1.jpg', 'labels/1.pts'], [Place('labels', ('big', 'small'))]),
        (
            ['big/1.jpg', 'small/1.jpg', 'small/2.jpg', 'labels/1.pts', 'labels/2.pts'],
            [Place('big', ('big',)), Place('labels', ('small',))],
        ),
        (['images/a.jpg', 'labels/b.pts'], [Place('images', ('images',)), Place('labels', ('labels',))]),
        (['7/annot/0001.pts', '7/vid.avi'], [Place('7/annot', ('7/annot',), '7/vid.avi')]),
        (['0001.pts', 'x.mp4'], [Place('', ('',), 'x.mp4')]),
        (['x/1.pts', 'y/1.pts', 'x.mp4', 'y.mp4'], [Place('x', ('x',), 'x.mp4'), Place('y', ('y',), 'y.mp4')]),
        (['x/1.pts', 'a.mp4', 'b.mp4'], [Place('x', ('x',))]),  # it cannot be said which
        (['x/a1.pts', 'x/v.mp4'], [Place('x', ('x',))]),  # no number
        (['7/annot/0001.pts', '7/vid.avi', '7/frames/0001.png'], [Place('7/annot', ('7/frames',))]),
        (['Images/IMG_1.JPG', 'labels/img_1.pts'], [Place('labels', ('Images',))]),
    ],
)
def test_where_the_images_are(tmp_path: Path, files: list[str], expected: list[Place]) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    assert find_places(tmp_path, '.pts') == expected


def test_further_faces_and_names_in_another_case(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    first = put_face(tmp_path / 'IMG_1.JPG')
    (tmp_path / 'IMG_1.pts').rename(tmp_path / 'img_1.PTS')
    write_pts(tmp_path / 'Img_1_2.pts', first + 1)
    put_face(tmp_path / 'IMG_1_3.jpg', seed=3)  # an image of its own
    gathered = read_pts_folder(tmp_path)
    assert gathered.left_out == []
    assert sorted(face.file_name for face in gathered.faces) == ['IMG_1.JPG', 'IMG_1.JPG', 'IMG_1_3.jpg']


def test_two_images_whose_names_differ_in_case_are_not_guessed(
    tmp_path: Path, put_face: Callable[..., np.ndarray]
) -> None:
    put_face(tmp_path / 'a_b.jpg')
    put_face(tmp_path / 'A_B.jpg', seed=1)
    (tmp_path / 'A_B.pts').rename(tmp_path / 'A_b.pts')
    gathered = read_pts_folder(tmp_path)
    assert [face.file_name for face in gathered.faces] == ['a_b.jpg']
    assert [(left.reason, left.detail) for left in gathered.left_out] == [
        ('several images for one .pts', 'A_B.jpg, a_b.jpg')
    ]


def test_images_in_two_folders_are_not_guessed(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    put_face(tmp_path / 'big/1.jpg')
    put_face(tmp_path / 'good/2.jpg')
    (tmp_path / 'small').mkdir()
    (tmp_path / 'labels').mkdir()
    (tmp_path / 'small/1.jpg').write_bytes((tmp_path / 'big/1.jpg').read_bytes())
    (tmp_path / 'big/1.pts').rename(tmp_path / 'labels/1.pts')
    gathered = read_pts_folder(tmp_path)
    assert [face.file_name for face in gathered.faces] == ['good/2.jpg']
    (left,) = gathered.left_out
    assert left.reason == 'several folders with an image for the .pts' and left.detail == 'big, small'


@pytest.fixture
def video(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """``src/7/clip.avi`` of ten frames, frame k of grey value 20 k, with points for the frames 2, 5 and 11."""
    folder = tmp_path / 'src/7'
    (folder / 'annot').mkdir(parents=True)
    fourcc = cv2.VideoWriter_fourcc(*'MJPG')  # type: ignore[attr-defined]
    writer = cv2.VideoWriter(str(folder / 'clip.avi'), fourcc, 25, (96, 80))
    for number in range(1, 11):
        writer.write(np.full((80, 96, 3), 20 * number, np.uint8))
    writer.release()
    points = np.random.default_rng(0).uniform(20, 70, (68, 2)).round(3)
    for number in (2, 5, 11):
        write_pts(folder / f'annot/{number:06d}.pts', points + number)
    return tmp_path / 'src', points


def test_frames_of_a_video_by_number(tmp_path: Path, video: tuple[Path, np.ndarray]) -> None:
    source, points = video
    summary = convert('pts', source, tmp_path / 'out', Options(split='train', val=None, workers=1))
    assert summary['left_out'] == {
        'no such frame in the video': {
            'count': 1,
            'files': ['7/annot/000011.pts'],
            'details': {'7/annot/000011.pts': '7/clip.avi'},
        }
    }
    coco = json.loads((tmp_path / 'out/train.json').read_text())
    frames = tmp_path / 'out' / coco['info']['image_root']
    for number, image, face in zip((2, 5), coco['images'], coco['annotations']):
        assert abs(cv2.imread(str(frames / image['file_name'])).mean() - 20 * number) < 5
        assert np.allclose(np.reshape(face['keypoints'], (68, 3))[:, :2], points + number)
    # All of one video are one photo: a draw never parts them, and they are not compared with each other.
    assert summary['kept']['photos'] == 1 and summary['repeated_photos']['photos'] == 0


def test_with_crops_no_frames_stay(
    tmp_path: Path, video: tuple[Path, np.ndarray], put_face: Callable[..., np.ndarray]
) -> None:
    put_face(video[0] / 'still.jpg')
    convert('pts', video[0], tmp_path / 'out', Options(val=None, crop=True, workers=1))
    files = sorted(path.relative_to(tmp_path / 'out').as_posix() for path in (tmp_path / 'out').rglob('*.jpg'))
    assert files == ['images/7/clip.avi/000002.jpg', 'images/7/clip.avi/000005.jpg', 'images/still.jpg']
    with pytest.raises(FaceAlignError, match='holds images and videos; add --crop'):
        convert('pts', video[0], tmp_path / 'other', Options(val=None, workers=1))
    assert not list((tmp_path / 'other').rglob('*.jpg'))


def test_a_video_that_is_none_leaves_its_faces_out(
    tmp_path: Path, video: tuple[Path, np.ndarray], put_face: Callable[..., np.ndarray]
) -> None:
    (video[0] / '7/clip.avi').write_bytes(b'no video')
    put_face(video[0] / 'still.jpg')
    summary = convert('pts', video[0], tmp_path / 'out', Options(val=None, workers=1))
    entry = summary['left_out']['no such frame in the video']
    assert entry['count'] == 3 and 'video' in next(iter(entry['details'].values()))
    assert summary['kept']['faces'] == 1
