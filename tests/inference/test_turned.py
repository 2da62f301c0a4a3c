"""Quarter turns, and faces found on turned images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.detection.calibration import BoxRule
from facealign.inference.turned import Located, TurnedSearch, turn_boxes, turn_image, turn_points, turn_points_back
from facealign.markup import IBUG68
from facealign.structures.face import Face

SIDES = st.integers(1, 9)
BOX = np.array([[30.0, 20, 50, 60, 0.5]])


@given(SIDES, SIDES, st.integers(-4, 7))
def test_points_go_where_their_pixels_go(width: int, height: int, quarters: int) -> None:
    image = np.arange(width * height).reshape(height, width)
    turned = turn_image(image.astype(np.uint8), quarters % 4)
    np.testing.assert_array_equal(turned, np.rot90(image, quarters).astype(np.uint8))
    y, x = np.mgrid[:height, :width]
    points = np.stack([x, y], axis=-1).reshape(-1, 2).astype(float)
    there = turn_points(points, quarters, (width, height))
    np.testing.assert_array_equal(turned[there[:, 1].astype(int), there[:, 0].astype(int)], image.ravel() % 256)
    np.testing.assert_array_equal(turn_points_back(there, quarters, (width, height)), points)


@given(st.integers(0, 3))
def test_a_box_is_that_of_its_turned_points(quarters: int) -> None:
    corners = turn_points(np.array([[30.0, 20], [50, 60]]), quarters, (200, 100))
    [row] = turn_boxes(BOX, quarters, (200, 100))
    np.testing.assert_array_equal(row, [*corners.min(axis=0), *corners.max(axis=0), 0.5])


class Upright:
    """A model that trusts its points where the image's bright corner, the top, is up; it counts its calls."""

    def __init__(self, wrong: float = 0.1) -> None:
        self.calls, self._wrong = 0, wrong

    def __call__(self, located: list[Located]) -> list[list[Face]]:
        self.calls += 1
        return [[self._face(one.image, row) for row in one.rows] for one in located]

    def _face(self, image: np.ndarray, row: np.ndarray) -> Face:
        score = 0.95 if image[0, :, 0].min() > 0 else self._wrong
        points = np.tile((row[:2] + row[2:4]) / 2 - [0, 5], (68, 1))  # above the middle of an upright face
        return Face(points, np.full(68, score), row[:4].copy(), row[4], IBUG68, doubtful=score < 0.7)


def photo(quarters: int) -> np.ndarray:
    image = np.zeros((100, 200, 3), np.uint8)
    image[0] = 255
    return turn_image(image, quarters)


def located(quarters: int, rows: np.ndarray = BOX, given: bool = False) -> Located:
    return Located(photo(quarters), turn_boxes(rows, quarters, (200, 100)), BoxRule((0, 0.1), (1, 1)), given)


@pytest.mark.parametrize('quarters', [1, 2, 3])
def test_a_doubtful_box_is_read_the_right_way_up(quarters: int) -> None:
    align = Upright()
    one = located(quarters, given=True)
    [face] = TurnedSearch(align, None)(one, align([one])[0])
    assert not face.doubtful and face.turned == 90 * (-quarters % 4)
    np.testing.assert_allclose(face.points, np.tile(turn_points(np.array([40.0, 35]), quarters, (200, 100)), (68, 1)))
    np.testing.assert_array_equal(face.box, one.rows[0, :4])


@pytest.mark.parametrize('quarters', [1, 2, 3])
def test_an_image_without_a_face_is_searched_turned(quarters: int) -> None:
    align, searched = Upright(), []

    def search(image: np.ndarray) -> np.ndarray:
        searched.append(image)
        return BOX if image[0, :, 0].min() > 0 else np.zeros((0, 5))

    [face] = TurnedSearch(align, search)(located(quarters, np.zeros((0, 5))), [])
    assert face.turned == 90 * (-quarters % 4)
    np.testing.assert_allclose(face.box, turn_boxes(BOX, quarters, (200, 100))[0, :4])
    np.testing.assert_allclose(face.points[0], turn_points(np.array([40.0, 35]), quarters, (200, 100)))
    assert len(searched) <= 3


def test_trusted_faces_cost_nothing_and_no_box_stays_doubtful_unsaid() -> None:
    align = Upright()
    one = located(0)
    faces = align([one])[0]
    assert TurnedSearch(align, pytest.fail)(one, faces) is faces  # type: ignore[arg-type]
    assert align.calls == 1
    nothing = Located(np.zeros((100, 200, 3), np.uint8), BOX, BoxRule())
    [face] = TurnedSearch(align, lambda image: BOX)(nothing, align([nothing])[0])
    assert face.doubtful


def test_time_is_bounded_in_a_crowd_of_doubtful_boxes() -> None:
    align = Upright()
    rows = np.concatenate([BOX + [i, 0, i, 0, 0] for i in range(100)])
    one = Located(np.zeros((100, 200, 3), np.uint8), rows, BoxRule(), given=True)
    faces = TurnedSearch(align, None)(one, align([one])[0])
    assert len(faces) == 100 and all(face.doubtful for face in faces)
    assert align.calls <= 9
