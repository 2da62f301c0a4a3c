from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.conversion.crop import crop_faces, crop_record, crop_window
from facealign.errors import FaceAlignError
from facealign.structures.records import FaceRecord


def _face(points: np.ndarray, size: tuple[int, int], root: Path = Path(), name: str = 'a.png') -> FaceRecord:
    return FaceRecord(root, name, points, size, 'test', 'train')


@given(st.data())
def test_the_way_back_is_exact(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(20, 3000)), data.draw(st.integers(20, 3000))
    coordinate = st.tuples(st.floats(-20, width + 20), st.floats(-20, height + 20))
    points = np.array(data.draw(st.lists(coordinate, min_size=3, max_size=8)))
    if (np.ptp(points, axis=0) < 1).any():
        return
    face = _face(points, (width, height))
    face.face_box = np.array([*points.min(axis=0) - 3, *points.max(axis=0) + 7])
    window, size = crop_window(face, 0.5, 160)
    x1, y1, x2, y2 = window
    assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height
    cut = crop_record(face, window, size)
    assert cut.original is not None and cut.face_box is not None
    matrix = cut.original.to_original
    back = cut.points @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(back - points).max() < 1e-9
    box = cut.face_box.reshape(2, 2) @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(box.reshape(4) - face.face_box).max() < 1e-9
    # The corners of the pixels' area, half a pixel beyond their centres, fall on those of the cut.
    corners = np.array([[-0.5, -0.5], [size[0] - 0.5, size[1] - 0.5]]) @ matrix[:, :2].T + matrix[:, 2]
    assert corners == pytest.approx(np.array([[x1 - 0.5, y1 - 0.5], [x2 - 0.5, y2 - 0.5]]))
    # Its record counts the points off the uncropped image.
    assert cut.points_off_image == face.points_off_image


def test_small_faces_are_not_enlarged_and_large_ones_end_at_the_limit() -> None:
    for side, expected in ((100, 100), (640, 160)):
        points = np.array([[900.0, 900], [900 + side, 900], [900 + side, 900 + side / 2]])
        face = _face(points, (3000, 3000))
        cut = crop_record(face, *crop_window(face, 0.5, 160))
        box = cut.landmark_box
        assert (box[2:] - box[:2]).max() == pytest.approx(expected, abs=1)


def test_points_stay_on_their_pixels(tmp_path: Path) -> None:
    # Bright blocks on black, in a large image: where the cut file shows them is where the new points are.
    points = np.array([[300.0, 200], [520.0, 260], [420.0, 455]])
    image = np.zeros((800, 900, 3), dtype=np.uint8)
    for x, y in points.astype(int):
        image[y - 5 : y + 6, x - 5 : x + 6] = 255
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    (cut,) = crop_faces([_face(points, (900, 800), tmp_path)], tmp_path / 'out', max_face=100, workers=1)
    assert cut is not None
    shown = cv2.imread(str(cut.path), cv2.IMREAD_GRAYSCALE).astype(float)
    assert shown.shape[::-1] == cut.size
    for x, y in cut.points:
        ys, xs = np.mgrid[round(y) - 6 : round(y) + 7, round(x) - 6 : round(x) + 7]
        weight = np.where(shown[ys, xs] > 30, shown[ys, xs], 0)
        centre = [(weight * xs).sum() / weight.sum(), (weight * ys).sum() / weight.sum()]
        assert centre == pytest.approx([x, y], abs=0.1)


def test_several_faces_of_one_image_get_files_of_their_own(tmp_path: Path, put_image: Callable[..., Path]) -> None:
    put_image(tmp_path / 'f/a.png')
    put_image(tmp_path / 'f/a.jpg')
    points = np.array([[20.0, 20], [60, 60]])
    faces = [_face(points + i, (120, 100), tmp_path, name) for i, name in enumerate(['f/a.png', 'f/a.png', 'f/a.jpg'])]
    cut = crop_faces(faces, tmp_path / 'out', workers=1)
    assert [face and face.file_name for face in cut] == ['f/a.1.jpg', 'f/a.2.jpg', 'f/a.3.jpg']
    assert all(face is not None and face.path.is_file() for face in cut)


def test_what_cannot_be_decoded_gives_none(tmp_path: Path) -> None:
    (tmp_path / 'a.png').write_bytes(b'no image')
    points = np.array([[2.0, 2], [6, 6]])
    faces = [_face(points, (9, 9), tmp_path), _face(points, (9, 9), tmp_path, 'absent.png')]
    assert crop_faces(faces, tmp_path / 'out', workers=1) == [None, None]


def test_no_room_to_write_is_one_line(tmp_path: Path, put_image: Callable[..., Path]) -> None:
    put_image(tmp_path / 'a.png')
    (tmp_path / 'out').write_text('a file where the folder should be')
    with pytest.raises(FaceAlignError, match='cannot be written'):
        crop_faces([_face(np.array([[2.0, 2], [6, 6]]), (120, 100), tmp_path)], tmp_path / 'out', workers=1)
