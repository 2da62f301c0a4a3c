"""Training dlib's trees: boxes, mirrored copies, the same bytes again."""

from __future__ import annotations

import numpy as np
import pytest

from facealign.detection.box_mapping import BoxMapping
from facealign.errors import FaceAlignError
from facealign.evaluation.baselines_dlib import (
    ErtOptions,
    choose_source,
    dlib_grey,
    fill_boxes,
    read_faces,
    train_ert,
    training_set,
)
from facealign.markup import IBUG68, flip_points

from .training_faces import write_training_faces

dlib = pytest.importorskip('dlib', reason='needs dlib (dlib-bin)')
TINY = ErtOptions(cascade_depth=2, trees=5, tree_depth=2, oversampling=2, threads=2)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    annotations = write_training_faces(tmp_path, 12)
    for name in ('a.dat', 'b.dat'):
        train_ert(annotations, tmp_path / name, TINY, boxes='landmarks')
    assert (tmp_path / 'a.dat').read_bytes() == (tmp_path / 'b.dat').read_bytes()
    other = ErtOptions(cascade_depth=2, trees=5, tree_depth=2, oversampling=2, threads=2, seed=1)
    train_ert(annotations, tmp_path / 'c.dat', other, boxes='landmarks')
    assert (tmp_path / 'a.dat').read_bytes() != (tmp_path / 'c.dat').read_bytes()


def test_boxes_that_are_missing_come_from_the_median_of_those_found(tmp_path):
    faces, _ = read_faces(write_training_faces(tmp_path, 13, face_box=True))
    assert choose_source(faces, 'auto') == 'annotated'
    known = {face.file_name: face.face_box.copy() for face in faces if face.face_box is not None}
    mapping, found = fill_boxes(faces, 'annotated')
    assert found == len(known) == 10
    for face in faces:
        assert np.array_equal(face.face_box, known.get(face.file_name, mapping(face.landmark_box)))
    # The boxes drawn lie 8 pixels above the rectangle's centre and are 8 wider, on faces of about 100.
    assert -0.12 < mapping.down < -0.06
    assert 1.0 < mapping.height < mapping.width < 1.2


def test_without_any_box_the_detector_is_asked_and_misses_are_no_end(tmp_path):
    """dlib's HOG finds no face in spots; the mapping fitted to 300W stands in."""
    annotations = write_training_faces(tmp_path, 12)
    about = train_ert(annotations, tmp_path / 'hog.dat', TINY, workers=1)
    assert (about['boxes'], about['boxes_found']) == ('dlib-hog', 0)
    assert BoxMapping(**about['box_mapping']) == BoxMapping()


def test_the_mapping_fits_boxes_of_a_known_kind():
    random = np.random.default_rng(0)
    low = random.uniform(0, 100, (50, 2))
    rectangles = np.concatenate([low, low + random.uniform(40, 200, (50, 2))], axis=1)
    known = BoxMapping(-0.1, 1.1, 0.9)
    assert BoxMapping.fit(rectangles, known(rectangles)) == known


def test_every_face_comes_again_mirrored(tmp_path):
    faces, markup = read_faces(write_training_faces(tmp_path, 5))
    fill_boxes(faces, 'landmarks')
    images, detections = training_set(faces, markup, dlib)
    assert len(images) == len(detections) == 10
    first, mirrored = (np.array([[p.x, p.y] for p in detections[i][0].parts()]) for i in (0, 5))
    assert np.array_equal(images[5], images[0][:, ::-1])
    assert np.abs(flip_points(first, images[0].shape[1], IBUG68) - mirrored).max() <= 1  # dlib's whole pixels
    a, b = detections[0][0].rect, detections[5][0].rect
    assert abs((images[0].shape[1] - 1 - a.right()) - b.left()) <= 1
    assert (a.top(), a.bottom()) == (b.top(), b.bottom())


def test_grey_is_dlibs():
    """A predictor sees colour images in dlib's own grey; training must not differ."""
    image = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    assert np.array_equal(dlib_grey(image), image.astype(int).sum(axis=2) // 3)


def test_faces_with_missing_points_are_left_out_and_counted(tmp_path):
    path = write_training_faces(tmp_path, 6)
    path.write_text(path.read_text().replace(', 2, ', ', 0, ', 1))
    about = train_ert(path, tmp_path / 'x.dat', TINY, boxes='landmarks')
    assert (about['faces'], about['left_out_incomplete']) == (5, 1)


@pytest.mark.parametrize('content', ['', '{}', '[]', '{"info": {"markup": "ibug99"}}'])
def test_a_wrong_annotation_file_is_one_line(tmp_path, content):
    (tmp_path / 'train.json').write_text(content)
    with pytest.raises(
        FaceAlignError, match=r'train\.json: not a (COCO keypoint|JSON) file.*tools/convert_dataset\.py'
    ):
        read_faces(tmp_path / 'train.json')
    with pytest.raises(FaceAlignError, match='cannot be read'):
        read_faces(tmp_path / 'gone.json')
