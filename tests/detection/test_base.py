"""Detectors by name, their boxes merged and checked; on real photos where they are."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.detection import base as detectors
from facealign.detection.base import check_boxes, detect, get_detector, merge_boxes, open_detector, yunet_file
from facealign.detection.calibration import BoxRule, box_rules, get_box_rule, rule_of_detector
from facealign.detection.calibration_fit import check_detections, fit_rule
from facealign.errors import FaceAlignError
from facealign.io.coco_images import AnnotatedImage
from facealign.io.image import read_image
from facealign.io.pts import read_pts
from facealign.structures.boxes import box_iou, choose_boxes

_BOX = st.tuples(st.floats(0, 100), st.floats(0, 100), st.floats(1, 100), st.floats(1, 100), st.floats(-1, 1)).map(
    lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3], b[4]]
)


@given(st.lists(_BOX, max_size=12))
def test_merging_keeps_the_best_of_every_group(rows) -> None:
    rows = np.array(rows).reshape(-1, 5)
    kept = merge_boxes(rows)
    assert len(kept) <= len(rows) and (len(kept) > 0) == (len(rows) > 0)
    assert (np.diff(kept[:, 4]) <= 0).all()
    overlap = box_iou(kept[:, :4], kept[:, :4]) - np.eye(len(kept))
    assert overlap.max(initial=0) <= 0.4 + 1e-9
    for row in rows:  # what was dropped lies on something better
        if not (kept == row).all(axis=1).any():
            assert (kept[:, 4] >= row[4]).any()


def test_a_box_within_a_box_is_the_same_face_but_the_users_own_all_stay() -> None:
    rows = np.array([[0, 0, 100, 100, 0.5], [20, 20, 60, 60, 0.9], [200, 0, 300, 100, 0.1]])
    assert merge_boxes(rows)[:, 4].tolist() == [0.9, 0.1]
    rows[:, 4] = np.nan
    np.testing.assert_array_equal(merge_boxes(rows), rows)


def test_by_file_csv_and_json(tmp_path: Path) -> None:
    (tmp_path / 'boxes.csv').write_text(
        'image,x1,y1,x2,y2,score\na/b.jpg,1,2,30,40,0.5\nb.jpg,5,6,70,80,\nc.jpg,,,,,\n'
    )
    (tmp_path / 'boxes.json').write_text(
        json.dumps({'a/b.jpg': [[1, 2, 30, 40, 0.5]], 'b.jpg': [[5, 6, 70, 80]], 'c.jpg': []})
    )
    image = np.zeros((100, 100, 3), np.uint8)
    for file in ('boxes.csv', 'boxes.json'):
        name, detector = open_detector(f'boxes:{tmp_path / file}')
        assert name == 'boxes'
        np.testing.assert_array_equal(detect(detector, image, '/x/a/b.jpg'), [[1, 2, 30, 40, 0.5]])
        np.testing.assert_array_equal(detect(detector, image, 'z/b.jpg'), [[5, 6, 70, 80, np.nan]])
        assert detect(detector, image, 'c.jpg').shape == (0, 5)
        with pytest.raises(FaceAlignError, match='lists no boxes for d.jpg'):
            detect(detector, image, 'd.jpg')
        with pytest.raises(FaceAlignError, match='go by file name'):
            detect(detector, image)


@pytest.mark.parametrize('text', ['', 'image,x1\n', 'image,x1,y1,x2,y2\na,1,2,x,4\n', '{"a": [[1, 2]]}', '[1'])
def test_files_that_hold_no_boxes(tmp_path: Path, text: str) -> None:
    file = tmp_path / ('boxes.json' if text[:1] in '[{' and text else 'boxes.csv')
    file.write_text(text)
    with pytest.raises(FaceAlignError, match='not a table of boxes'):
        get_detector('boxes', file)


def test_whole_is_the_image() -> None:
    np.testing.assert_array_equal(get_detector('whole')(np.zeros((20, 30, 3), np.uint8))[0, :4], [0, 0, 29, 19])


@pytest.mark.parametrize(
    ('spec', 'message'),
    [
        ('haar', 'no such face detector'),
        ('yunet:missing.onnx', 'no such file'),
        ('dlib-cnn', 'needs a model file'),
        ('dlib-hog:x.dat', 'takes no file'),
        ('mmdet:a.py+b.pth', 'a.py: no such file'),
    ],
)
def test_detectors_that_cannot_be(spec, message, monkeypatch, tmp_path) -> None:
    monkeypatch.delenv('FACEALIGN_YUNET', raising=False)
    with pytest.raises(FaceAlignError, match=message):
        open_detector(spec)


def test_where_yunet_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('FACEALIGN_YUNET', raising=False)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setenv('LOCALAPPDATA', str(tmp_path))
    assert yunet_file() is None
    file = tmp_path / 'facealign' / 'face_detection_yunet_2023mar.onnx'
    file.parent.mkdir()
    file.write_bytes(b'no model')
    assert yunet_file() == file
    with pytest.raises(FaceAlignError, match='not a YuNet ONNX file'):
        open_detector()
    monkeypatch.setenv('FACEALIGN_YUNET', str(tmp_path / 'nowhere.onnx'))
    with pytest.raises(FaceAlignError, match='no such file'):
        open_detector()


def test_a_registered_detector_is_one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detectors, '_DETECTORS', dict(detectors._DETECTORS))
    detectors.register_detector('none')(lambda: lambda image: np.zeros((0, 5)))
    assert 'none' in detectors.detector_names()
    assert detect(open_detector('none')[1], np.zeros((9, 9, 3), np.uint8)).shape == (0, 5)


def test_a_rule_is_found_again() -> None:
    rng = np.random.default_rng(0)
    rule = BoxRule(shift=(0.05, 0.12), size=(0.9, 0.8))
    corner = rng.uniform(0, 100, (200, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(50, 150, (200, 1))], axis=1)
    fitted = fit_rule(boxes, rule.rectangle(boxes))
    np.testing.assert_allclose([*fitted.shift, *fitted.size], [*rule.shift, *rule.size], atol=1e-3)


def test_every_detector_s_rule() -> None:
    assert {'dlib-hog', 'dlib-hog-retry', 'yunet', 'whole'} <= box_rules().keys()
    assert get_box_rule('landmarks') == BoxRule()
    assert rule_of_detector('never measured').passes == 2
    with pytest.raises(FaceAlignError, match='there are: .*yunet'):
        get_box_rule('never measured')


def test_matching_counts_misses_and_false_boxes() -> None:
    points = np.array([[[0, 0], [10, 10]], [[50, 50], [60, 60]]], dtype=float)
    found = check_detections([AnnotatedImage(Path('x'), points)], [np.array([[0, 0, 10, 9, 1], [90, 90, 99, 99, 1]])])
    assert (found.hit_rate, found.false_boxes) == (0.5, 1)


def test_check_boxes_adds_missing_scores() -> None:
    assert np.isnan(check_boxes([[1, 2, 3, 4]], (10, 10))[0, 4])
    assert check_boxes([], (10, 10)).shape == (0, 5)


@pytest.fixture(scope='module')
def hog():
    pytest.importorskip('dlib', reason='needs dlib-bin')
    return get_detector('dlib-hog-retry')


def face_crop(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    path = shared / 'data' / '300w' / 'lfpw' / 'testset' / 'image_0001.jpg'
    if not path.is_file():
        path = sorted(path.parent.glob('*.jpg'))[0]
    points = read_pts(path.with_suffix('.pts'))
    return read_image(path), np.concatenate([points.min(axis=0), points.max(axis=0)])


@pytest.mark.parametrize('scale', [0.22, 1.0, 3.0])
@pytest.mark.parametrize('angle', [-28, 0, 28])
def test_small_large_and_tilted_faces_are_found(hog, shared, scale, angle) -> None:
    image, rectangle = face_crop(shared)
    height, width = image.shape[:2]
    centre = (rectangle[:2] + rectangle[2:]) / 2
    matrix = cv2.getRotationMatrix2D(tuple(centre.tolist()), angle, scale)
    size = (max(200, int(width * scale * 1.3)), max(200, int(height * scale * 1.3)))
    matrix[:, 2] += np.array(size) / 2 - centre
    changed = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    half = (rectangle[2:] - rectangle[:2]) / 2 * scale
    wanted = np.concatenate([np.array(size) / 2 - half, np.array(size) / 2 + half])
    found = detect(hog, changed)
    assert choose_boxes(wanted[None], found)[0] is not None, found


def test_nothing_in_nothing(hog) -> None:
    assert len(detect(hog, np.full((240, 320, 3), 128, np.uint8))) == 0


@pytest.mark.parametrize('name', ['dlib-hog-retry', 'yunet'])
def test_the_afw_photos(shared, name) -> None:
    """At least 90 % of the annotated faces over 60 pixels without a file, and all of them with YuNet."""
    model = shared / 'models' / 'face_detection_yunet_n.onnx' if name == 'yunet' else None
    if name != 'yunet':
        pytest.importorskip('dlib', reason='needs dlib-bin')
    detector = get_detector(name, model)
    folder = shared / 'data' / 'photos'
    faces = hits = 0
    for path in sorted(folder.glob('afw_*.jpg')):
        points = [read_pts(file) for file in sorted(folder.glob(f'{path.stem}.*.pts'))]
        rectangles = np.array([[*p.min(axis=0), *p.max(axis=0)] for p in points])
        chosen = choose_boxes(rectangles, detect(detector, read_image(path)))
        large = (rectangles[:, 2:] - rectangles[:, :2]).max(axis=1) > 60
        faces += int(large.sum())
        hits += sum(index is not None for index, counts in zip(chosen, large) if counts)
    assert faces >= 25
    assert hits >= (faces if name == 'yunet' else 0.9 * faces)
