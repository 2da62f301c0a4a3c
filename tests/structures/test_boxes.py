from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.errors import FaceAlignError
from facealign.io.box_table import has_boxes, read_box_csv, write_box_csv
from facealign.structures.boxes import assign_boxes, box_iou, choose_boxes
from facealign.structures.records import FaceRecord

VISIONLABS = (
    'image_name,face_rect_x1,face_rect_y2,face_rect_x2,face_rect_y1,landmarks_in_bbox,n_faces_detected,'
    'dataset_type,train_type,n_landmarks'
)
_corner = st.integers(0, 30)


@given(_corner, _corner, _corner, _corner)
def test_iou_against_counted_pixels(x: int, y: int, x2: int, y2: int) -> None:
    a, b = (5, 5, 20, 25), (min(x, x2), min(y, y2), max(x, x2), max(y, y2))
    grid = np.zeros((2, 30, 30), dtype=bool)
    for plane, (left, top, right, bottom) in zip(grid, (a, b)):
        plane[top:bottom, left:right] = True
    expected = (grid[0] & grid[1]).sum() / max(1, (grid[0] | grid[1]).sum())
    assert box_iou(np.array([a]), np.array([b]))[0, 0] == pytest.approx(expected)


def _face(name: str, box: tuple[float, float, float, float]) -> FaceRecord:
    points = np.array([[box[0], box[1]], [box[2], box[3]]], dtype=float)
    return FaceRecord(Path(), name, points, (200, 200), 'test', 'train')


def test_of_several_detections_the_best_fitting_is_taken_whatever_its_score() -> None:
    face = _face('a.jpg', (10, 10, 50, 50))
    found = np.array([[100, 100, 190, 190, 9.0], [12, 8, 52, 50, 0.1], [30, 30, 90, 90, 3.0]])
    assign_boxes([face], {'a.jpg': found})
    assert face.face_box is not None and face.face_box.tolist() == [12, 8, 52, 50]
    assert face.face_score == 0.1


def test_no_detection_serves_two_faces() -> None:
    faces = [_face('a.jpg', (10, 10, 50, 50)), _face('a.jpg', (14, 10, 54, 50))]
    assign_boxes(faces, {'a.jpg': np.array([[14, 10, 54, 51, 1.0]])})
    assert faces[0].face_box is None and faces[1].face_box is not None


def test_a_detection_elsewhere_or_none_leaves_no_box() -> None:
    faces = [_face('a.jpg', (10, 10, 50, 50)), _face('b.jpg', (10, 10, 50, 50)), _face('c.jpg', (10, 10, 50, 50))]
    assign_boxes(faces, {'a.jpg': np.array([[120, 120, 160, 160, 1.0]]), 'b.jpg': np.zeros((0, 5))})
    assert [face.face_box for face in faces] == [None] * 3
    assert [face.face_score for face in faces] == [None] * 3


@given(st.data())
def test_the_best_pair_is_always_taken(data: st.DataObject) -> None:
    box = st.tuples(_corner, _corner, st.integers(1, 30), st.integers(1, 30)).map(
        lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
    )
    faces = np.array(data.draw(st.lists(box, min_size=1, max_size=4)), dtype=float)
    found = np.array(data.draw(st.lists(box, min_size=1, max_size=4)), dtype=float)
    chosen = choose_boxes(faces, found, min_fit=0.1)
    fit = box_iou(faces, found)
    used = [index for index in chosen if index is not None]
    assert len(set(used)) == len(used)
    if fit.max() >= 0.1:
        assert fit.max() in [fit[i, j] for i, j in enumerate(chosen) if j is not None]
    free = set(range(len(found))) - set(used)
    left = [i for i, j in enumerate(chosen) if j is None]
    assert all(fit[i, j] < 0.1 for i, j in itertools.product(left, free))


def test_a_written_file_reads_back(tmp_path: Path) -> None:
    found = {
        'a/1.jpg': np.array([[1.5, -2, 30.25, 40, 0.9], [5, 6, 7, 8, 0.5]]),
        'b, c/"2".png': np.zeros((0, 5)),
        'd.jpg': np.array([[0, 0, 9, 9, np.nan]]),
    }
    write_box_csv(tmp_path / 'boxes.csv', found)
    again = read_box_csv(tmp_path / 'boxes.csv', found)
    assert again.keys() == found.keys()
    for name in found:
        assert np.array_equal(again[name], found[name], equal_nan=True)
    assert has_boxes(tmp_path / 'boxes.csv')


def test_visionlabs_columns_are_read_by_name(tmp_path: Path) -> None:
    # In that file y2 stands before x2 and y1; the same name occurs in train and in test.
    (tmp_path / 'a.csv').write_text(
        f'{VISIONLABS}\nimage_0001.png,10,60,70,20,64,1,300W,train,68\nimage_0001.png,-3,90,80,5,60,2,300W,test,68\n'
    )
    found = read_box_csv(tmp_path / 'a.csv', ['300W/train/image_0001.png', '300W/test/image_0001.png', 'x.png'])
    assert found['300W/train/image_0001.png'][:, :4].tolist() == [[10, 20, 70, 60]]
    assert found['300W/test/image_0001.png'][:, :4].tolist() == [[-3, 5, 80, 90]]
    assert 'x.png' not in found


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('image,x1,y1,x2\na.jpg,1,2,3\n', 'no column y2 or face_rect_y2'),
        ('image,x1,y1,x2,y2\na.jpg,1,2,3,four\n', 'line 2, column y2: "four" is not a number'),
        ('image,x1,y1,x2,y2\na.jpg,5,2,3,4\n', 'line 2: the box .* has no area'),
        ('image,x1,y1,x2,y2\na.jpg,5,2\n', 'line 2 has not 5 columns'),
        ('x1,y1,x2,y2\n1,2,3,4\n', 'no column image'),
        ('', 'no columns at all'),
    ],
)
def test_a_broken_box_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / 'boxes.csv').write_text(text)
    with pytest.raises(FaceAlignError, match=message):
        read_box_csv(tmp_path / 'boxes.csv', ['a.jpg'])


def test_an_absent_or_binary_box_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FaceAlignError, match='cannot be read'):
        read_box_csv(tmp_path / 'absent.csv', [])
    (tmp_path / 'b.csv').write_bytes(b'\xff\xd8\xff\xe0\x00')
    with pytest.raises(FaceAlignError, match='not a CSV text file'):
        read_box_csv(tmp_path / 'b.csv', [])
