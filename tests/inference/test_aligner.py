"""FaceAligner against models whose answers are known, and against the file the user gave."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign import FaceAligner
from facealign.errors import FaceAlignError

WIDTH, HEIGHT = 320, 240
SPOT = (150.0, 90.0)
BOXES = np.array([[110.0, 50, 190, 130]])
# The tiny model's crop (padding 1.25 of 80 pixels on 64) has 1.5625 image pixels a pixel.
CLOSE = 0.2


def spot_image(x: float = SPOT[0], y: float = SPOT[1]) -> np.ndarray:
    """A red blob on black, BGR: its centroid is (x, y)."""
    yy, xx = np.mgrid[:HEIGHT, :WIDTH]
    red = 255 * np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * 8.0**2))
    return np.stack([np.zeros_like(red), np.zeros_like(red), red], axis=2).round().astype(np.uint8)


@pytest.fixture(scope='module')
def aligner(make_model) -> FaceAligner:
    return FaceAligner(make_model('red'), 'whole', box_rule='landmarks', batch=2)


def assert_on_spot(face, x: float = SPOT[0], y: float = SPOT[1]) -> None:
    assert np.abs(face.points - (x, y)).max() < CLOSE


def test_points_come_back_to_where_they_are_in_the_image(aligner) -> None:
    [face] = aligner(spot_image(), BOXES, color='bgr')
    assert face.points.shape == (68, 2) and face.scores.shape == (68,)
    assert face.markup.name == 'ibug68'
    np.testing.assert_array_equal(face.box, BOXES[0])
    assert np.isnan(face.score)
    assert_on_spot(face)


@pytest.mark.parametrize('shift', [(-30, -20), (25, 10), (-0.5, 0.25)])
@pytest.mark.parametrize('size', [100, 130, 170])
def test_the_box_does_not_matter(aligner, shift, size) -> None:
    centre = np.array(SPOT) + shift
    box = np.concatenate([centre - size / 2, centre + size / 2])
    assert_on_spot(aligner(spot_image(), [box], color='bgr')[0])


def test_the_reduction_of_large_faces_does_not_move_points(make_model) -> None:
    image = cv2.resize(spot_image(), None, fx=9, fy=9, interpolation=cv2.INTER_CUBIC)
    [face] = FaceAligner(make_model('red'), 'whole')(image, (BOXES + 0.5) * 9 - 0.5, color='bgr')
    assert np.abs(face.points - (np.array(SPOT) * 9 + 4)).max() < 9 * CLOSE


def test_arrays_are_bgr_unless_their_colour_order_is_named(aligner) -> None:
    bgr = spot_image()
    assert_on_spot(aligner(bgr, BOXES)[0])
    assert_on_spot(aligner(np.ascontiguousarray(bgr[..., ::-1]), BOXES, color='rgb')[0])
    with pytest.raises(FaceAlignError, match='color="bgr"'):
        aligner(bgr, BOXES, color='RGB')


def test_every_kind_of_image(aligner, tmp_path: Path) -> None:
    bgr = spot_image()
    grey = bgr[..., 2]
    alpha = np.full((HEIGHT, WIDTH), 7, np.uint8)
    kinds = [
        (bgr, 'bgr'),
        (grey, None),
        (grey[..., None], None),
        (np.dstack([bgr, alpha]), 'bgr'),
        (np.dstack([bgr[..., ::-1], alpha]), 'rgb'),
        (bgr.astype(np.uint16) * 257, 'bgr'),
        (grey.astype(np.uint16) * 257, None),
    ]
    for image, color in kinds:
        assert_on_spot(aligner(image, BOXES, color=color)[0])
    files = {
        'bgr.png': bgr,
        'grey.png': grey,
        'rgba.png': np.dstack([bgr, alpha]),
        'deep.png': bgr.astype(np.uint16) * 257,
    }
    for name, image in files.items():
        cv2.imwrite(str(tmp_path / name), image)
    paths = [tmp_path / name for name in files]
    for faces in aligner(paths, [BOXES] * len(paths)):
        assert_on_spot(faces[0])
    assert_on_spot(aligner(str(paths[0]), BOXES)[0])


def test_exif_rotation_is_honoured(aligner, tmp_path: Path) -> None:
    turned = cv2.rotate(spot_image(), cv2.ROTATE_90_COUNTERCLOCKWISE)
    data = cv2.imencode('.jpg', turned, [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()
    # EXIF with the one entry orientation (0x0112) = 6: to be turned clockwise.
    tiff = b'MM\0*\0\0\0\x08' + b'\0\x01' + b'\x01\x12\0\x03\0\0\0\x01\0\x06\0\0' + b'\0\0\0\0'
    exif = b'Exif\0\0' + tiff
    path = tmp_path / 'turned.jpg'
    path.write_bytes(data[:2] + b'\xff\xe1' + (len(exif) + 2).to_bytes(2, 'big') + exif + data[2:])
    assert_on_spot(aligner(path, BOXES)[0])


def test_a_list_of_images_is_a_list_of_lists(aligner) -> None:
    spots = [(100 + 10 * i, 80 + 5 * i) for i in range(5)]
    images = [spot_image(*spot) for spot in spots]
    boxes = [
        np.array([[x - 40, y - 40, x + 40, y + 40]] * (i % 3), dtype=float).reshape(-1, 4)
        for i, (x, y) in enumerate(spots)
    ]
    found = aligner(images, boxes, color='bgr')
    assert [len(faces) for faces in found] == [0, 1, 2, 0, 1]
    for faces, spot in zip(found, spots):
        for face in faces:
            assert_on_spot(face, *spot)
    assert aligner([], color='bgr') == []


def test_batches_do_not_change_the_answer(make_model) -> None:
    model = make_model('red')
    images = [spot_image(100 + 9 * i, 100) for i in range(7)]
    boxes = [np.array([[60.0 + 9 * i, 60, 140 + 9 * i, 140]]) for i in range(7)]
    one, many = (FaceAligner(model, 'whole', batch=batch)(images, boxes, color='bgr') for batch in (1, 32))
    for a, b in zip(one, many):
        np.testing.assert_allclose(a[0].points, b[0].points, atol=1e-4)


def test_a_function_as_detector_and_its_scores(make_model) -> None:
    rows = np.array([[110.0, 50, 190, 130, 0.9], [20, 20, 60, 60, 0.2]])
    assert len(FaceAligner(make_model('fixed'), lambda image: rows)(spot_image(), color='bgr')) == 2
    model = make_model('red')
    [face] = FaceAligner(model, lambda image: rows, min_score=0.5, box_rule='landmarks')(spot_image(), color='bgr')
    assert face.score == 0.9
    assert_on_spot(face)
    [unscored] = FaceAligner(model, lambda image: rows[:1, :4].tolist(), box_rule='landmarks')(
        spot_image(), color='bgr'
    )
    assert_on_spot(unscored)
    assert FaceAligner(model, lambda image: [])(spot_image(), color='bgr') == []


def test_a_second_pass_cuts_the_crop_anew(make_model) -> None:
    # "fixed" answers 8 … 56 of 64 pixels: three quarters of the crop, so each pass shrinks the rectangle.
    model = make_model('fixed')
    image = spot_image()
    one = FaceAligner(model, lambda _: BOXES, box_rule='landmarks')(image, color='bgr')[0].points
    two = FaceAligner(model, lambda _: BOXES)(image, color='bgr')[0].points  # boxes of unknown kind: two passes
    assert np.ptp(one, axis=0) == pytest.approx(80 * 1.25 * 48 / 64)
    assert np.ptp(two, axis=0) == pytest.approx(np.ptp(one, axis=0) * 1.25 * 48 / 64)
    np.testing.assert_allclose(one.mean(axis=0), two.mean(axis=0))


@pytest.mark.parametrize(
    ('boxes', 'message'),
    [
        ([[np.nan, 0, 10, 10]], 'not all numbers'),
        ([[400, 300, 500, 400]], 'outside the image'),
        ([[50, 50, 50, 60]], 'no area'),
        ([[1, 2, 3]], r'\[N, 4\]'),
        ('boxes', 'instead of numbers'),
    ],
)
def test_impossible_boxes(aligner, boxes, message) -> None:
    with pytest.raises(FaceAlignError, match=message):
        aligner(spot_image(), boxes, color='bgr')


@pytest.mark.parametrize(
    ('image', 'message'),
    [
        (np.zeros((50, 50, 3)), 'float64'),
        (np.zeros((50, 50, 2), np.uint8), 'shape'),
        (np.zeros((1, 1, 3), np.uint8), 'too small'),
    ],
)
def test_impossible_arrays(aligner, image, message) -> None:
    with pytest.raises(FaceAlignError, match=message):
        aligner(image, BOXES, color='bgr')


def test_one_set_of_boxes_an_image(aligner) -> None:
    with pytest.raises(FaceAlignError, match='1 sets for 2 images'):
        aligner([spot_image()] * 2, [BOXES], color='bgr')


@pytest.mark.parametrize(
    'setting',
    [
        dict(batch='x'),
        dict(batch=2.5),
        dict(batch=float('nan')),
        dict(min_score='x'),
        dict(threads='x'),
        dict(threads=-1),
        dict(detector=5),
        dict(detector=b'yunet'),
        dict(model=5),
        dict(model=lambda crops: crops),
    ],
    ids=' '.join,
)
def test_impossible_settings(make_model, setting) -> None:
    with pytest.raises(FaceAlignError, match=next(iter(setting))):
        FaceAligner(**{'model': make_model('red'), 'detector': 'whole', **setting})


def test_arrays_with_rules_of_their_own(aligner) -> None:
    image = spot_image()
    expected = aligner(image[..., 2], BOXES)[0].points
    for same in (np.matrix(image[..., 2]), np.ma.masked_array(image[..., 2], image[..., 2] > 9)):
        np.testing.assert_array_equal(aligner(same, BOXES)[0].points, expected)
    with pytest.raises(FaceAlignError, match='image: is bytes'):
        aligner(memoryview(image))
