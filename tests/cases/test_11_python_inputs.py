"""What a program may hand to FaceAligner: every usual kind works, the rest is one error."""

from __future__ import annotations

import dlib
import numpy as np
import pytest
from PIL import Image

from facealign import FaceAligner
from facealign.errors import FaceAlignError
from facealign.io.image import read_image

BOX = [83, 83, 170, 170]


@pytest.fixture(scope='module')
def path(shared):
    return shared / 'cases' / '11-python-inputs' / 'photo.jpg'


@pytest.fixture(scope='module')
def aligner() -> FaceAligner:
    return FaceAligner('lite68', 'dlib-hog')


@pytest.fixture(scope='module')
def bgr(path) -> np.ndarray:
    return read_image(path)


@pytest.fixture(scope='module')
def expected(aligner, path) -> np.ndarray:
    [face] = aligner(path)
    return face.points


def test_arrays_and_pil_images(aligner, path, bgr, expected) -> None:
    rgb = np.ascontiguousarray(bgr[..., ::-1])
    for image, color in ((str(path), None), (bgr, None), (rgb, 'rgb'), (bgr[..., ::-1], 'rgb')):
        np.testing.assert_allclose(aligner(image, color=color)[0].points, expected, atol=0.01)
    pil = Image.fromarray(rgb)
    alpha = pil.copy()
    alpha.putalpha(9)
    for image in (pil, alpha, pil.copy()):
        np.testing.assert_allclose(aligner(image)[0].points, expected, atol=0.01)
    opened, in_list = aligner([Image.open(path), bgr])
    for faces in (opened, in_list, aligner(Image.open(path))):
        # Pillow's decoder of JPEG differs from OpenCV's by a grey level or two.
        np.testing.assert_allclose(faces[0].points, expected, atol=0.3)
    assert len(aligner(pil.convert('L'))) == len(aligner(pil.convert('P'))) == 1


def test_tensors(aligner, bgr, expected) -> None:
    torch = pytest.importorskip('torch')
    rgb = torch.from_numpy(np.ascontiguousarray(bgr[..., ::-1]))
    tensors = [rgb, rgb.permute(2, 0, 1), rgb.permute(2, 0, 1).float() / 255, rgb.double() / 255]
    for tensor in [*tensors, (rgb.float() / 255).requires_grad_()]:
        np.testing.assert_allclose(aligner(tensor)[0].points, expected, atol=0.01)
    bgr_tensor = torch.from_numpy(bgr.copy())
    np.testing.assert_allclose(aligner(bgr_tensor, color='bgr')[0].points, expected, atol=0.01)
    assert [len(faces) for faces in aligner(list(torch.stack([rgb, rgb])))] == [1, 1]
    for wrong in (torch.stack([rgb, rgb]), rgb.float(), rgb[0, 0], torch.full((3, 90, 90), float('nan'))):
        with pytest.raises(FaceAlignError, match='image'):
            aligner(wrong)


@pytest.mark.parametrize('wrong', [None, b'\xff\xd8\xff', bytearray(9), 5, 2.5, object(), {'a': 1}, lambda: 1])
def test_the_rest_is_one_error(aligner, bgr, wrong) -> None:
    for call in (lambda: aligner(wrong), lambda: aligner([bgr, wrong])):
        with pytest.raises(FaceAlignError) as caught:
            call()
        assert '\n' not in str(caught.value)


@pytest.mark.parametrize('dtype', ['float64', 'float32', 'int32', 'bool', 'O'])
def test_arrays_of_other_numbers(aligner, bgr, dtype) -> None:
    with pytest.raises(FaceAlignError, match='uint8 or uint16 is wanted'):
        aligner(bgr.astype(dtype))


def test_boxes(aligner, path) -> None:
    expected = aligner(path, [BOX])[0].points
    rectangles = dlib.rectangles()
    rectangles.append(dlib.rectangle(*BOX))
    for boxes in ([dlib.rectangle(*BOX)], rectangles, [tuple(BOX)], np.array([BOX]), [dlib.drectangle(*BOX)]):
        np.testing.assert_array_equal(aligner(path, boxes)[0].points, expected)
    torch = pytest.importorskip('torch')
    np.testing.assert_array_equal(aligner(path, torch.tensor([BOX]))[0].points, expected)
    assert aligner(path, []) == aligner(path, dlib.rectangles()) == aligner(path, np.zeros((0, 4))) == []
    found = aligner(path, dlib.get_frontal_face_detector()(read_image(path), 1))
    assert len(found) == 1


@pytest.mark.parametrize(
    'boxes', [5, 'box', BOX, [[1, 2, 3]], [None], [['a'] * 4], [[1e999] * 4], [[-1e9, -1e9, 1e9, 1e9]], [{}], [10**400]]
)
def test_what_is_no_box(aligner, path, boxes) -> None:
    with pytest.raises(FaceAlignError, match='box'):
        aligner(path, boxes)
    with pytest.raises(FaceAlignError, match='box'):
        aligner([path], boxes if boxes == 5 else [boxes])
