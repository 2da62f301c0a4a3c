"""Drawn points lie where they should, on pictures of any size, and nothing given is changed."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facealign.markup import DATATANG106, IBUG68, get_markup, markup_names
from facealign.visualization import text as labels
from facealign.visualization.drawing import PREDICTION_COLOUR, TRUTH_COLOUR, draw_face, tile
from facealign.visualization.strokes import Strokes

ODD = (np.nan, np.inf, -np.inf, 1e9, -1e300, 0.0, 1e300)


def _shape(markup, width: float = 100.0, at: tuple[float, float] = (20.0, 20.0)) -> np.ndarray:
    """Points spread over a square, all apart."""
    side = int(np.ceil(np.sqrt(markup.num_keypoints)))
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)[: markup.num_keypoints]
    return grid * (width / (side - 1)) + np.array(at)


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    colour=st.booleans(),
    seed=st.integers(0, 1 << 20),
    spread=st.sampled_from([0.0, 1.0, 60.0, 1e7]),
    odd=st.lists(st.tuples(st.integers(0, 135), st.sampled_from(ODD)), max_size=6),
    numbers=st.booleans(),
    more=st.sets(st.sampled_from(['truth', 'box', 'scores'])),
)
def test_any_picture_and_points(size, colour, seed, spread, odd, numbers, more) -> None:
    rng = np.random.default_rng(seed)
    image = np.full((*size, 3) if colour else size, 90, np.uint8)
    points, scores = 40 + spread * rng.normal(size=(68, 2)), rng.uniform(-1, 2, 68)
    for place, value in odd:
        points.flat[place] = value
        scores[place // 2] = value
    given_values = dict(truth=points[::-1].copy(), box=rng.choice([*ODD, 5.0, 60.0], 4), scores=scores)
    before = image.copy(), points.copy()
    drawn = draw_face(image, points, IBUG68, numbers=numbers, **{name: given_values[name] for name in more})
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(points, before[1])
    assert drawn.dtype == np.uint8 and drawn.ndim == 3 and not np.shares_memory(drawn, image)
    if not numbers:
        assert drawn.shape[:2] == image.shape[:2]


@pytest.mark.parametrize('name', markup_names())
def test_every_markup_is_drawn(name: str) -> None:
    markup = get_markup(name)
    image = np.zeros((140, 140, 3), np.uint8)
    drawn = draw_face(image, _shape(markup), markup)
    for x, y in np.rint(_shape(markup)).astype(int):
        assert drawn[y, x].max() > 130


@given(x=st.floats(10, 30), y=st.floats(10, 30), radius=st.floats(1.5, 6))
@settings(deadline=None)
def test_dots_are_placed_to_a_tenth_of_a_pixel(x: float, y: float, radius: float) -> None:
    canvas = np.zeros((41, 41, 3), np.uint8)
    Strokes(canvas, width=1.0, radius=radius).dot((x, y), (255, 255, 255))
    weight = canvas[..., 0].astype(float)
    weight[weight < 40] = 0  # the dark rim
    rows, columns = np.mgrid[0:41, 0:41]
    assert (weight * columns).sum() / weight.sum() == pytest.approx(x, abs=0.1)
    assert (weight * rows).sum() / weight.sum() == pytest.approx(y, abs=0.1)


def test_strokes_grow_with_the_face() -> None:
    share = []
    for scale in (2, 6):
        image = np.zeros((150 * scale, 150 * scale, 3), np.uint8)
        drawn = draw_face(image, _shape(IBUG68, 130.0 * scale, (10.0 * scale, 10.0 * scale)), IBUG68, lines=False)
        share.append((drawn.max(axis=2) > 100).mean())
    assert share[0] == pytest.approx(share[1], rel=0.2)


def test_only_the_surroundings_of_the_points_change() -> None:
    image = np.random.default_rng(0).integers(0, 255, (200, 400, 3), dtype=np.uint8)
    drawn = draw_face(image, _shape(IBUG68), IBUG68)
    changed = np.argwhere((drawn != image).any(axis=2))
    assert changed.min(axis=0).tolist() >= [15, 15] and changed.max(axis=0).tolist() <= [125, 125]


def test_missing_points_are_left_out() -> None:
    image, points = np.zeros((140, 140, 3), np.uint8), _shape(IBUG68)
    missing = points.copy()
    missing[3] = np.nan
    drawn = draw_face(image, missing, IBUG68)
    x, y = np.rint(points[3]).astype(int)
    assert not drawn[y - 2 : y + 3, x - 2 : x + 3].any()
    assert not draw_face(image, np.full((68, 2), np.nan), IBUG68, numbers=True).any()


def test_truth_and_prediction_have_a_colour_each() -> None:
    image, truth = np.zeros((300, 300, 3), np.uint8), _shape(DATATANG106, 200.0, (60.0, 80.0))
    drawn = draw_face(image, truth + (4.0, 0.0), DATATANG106, truth=truth)
    for points, colour in ((truth, TRUTH_COLOUR), (truth + (4.0, 0.0), PREDICTION_COLOUR)):
        x, y = np.rint(points[40]).astype(int)
        assert np.abs(drawn[y, x].astype(int) - colour).max() < 60
    assert drawn[:40, :150].any()  # the legend


def test_doubtful_points_fade_and_the_mean_is_written() -> None:
    image, points = np.full((300, 300, 3), 128, np.uint8), _shape(IBUG68, 200.0, (60.0, 80.0))
    scores = np.ones(68)
    scores[40] = 0.0
    drawn = draw_face(image, points, IBUG68, scores=scores, lines=False)
    (sure, doubtful) = (drawn[y, x].astype(int) for x, y in np.rint(points[[41, 40]]).astype(int))
    assert np.abs(sure - 128).sum() > 2 * np.abs(doubtful - 128).sum()
    plain = draw_face(image, points, IBUG68, lines=False)
    assert (drawn[:78] != plain[:78]).any()


def test_numbers_enlarge_a_small_picture_and_keep_points_on_their_places() -> None:
    image = np.zeros((100, 120, 3), np.uint8)
    image[50, 60] = 255
    points = _shape(DATATANG106, 60.0, (30.0, 20.0))
    numbered = draw_face(image, points, DATATANG106, numbers=True)
    factor = numbered.shape[0] / 100
    assert factor > 3 and numbered.shape[1] == pytest.approx(120 * factor, abs=1)
    x, y = np.rint((points[0] + 0.5) * factor - 0.5).astype(int)
    assert numbered[y, x].max() > 150
    large = np.zeros((1500, 1500, 3), np.uint8)
    assert draw_face(large, _shape(IBUG68, 1200.0), IBUG68, numbers=True).shape == large.shape


def test_numbers_do_not_cover_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = []

    def note(canvas, text, at, height, *rest) -> None:
        wide, high = labels.text_size(text, height)
        boxes.append((at[0], at[1] - high, at[0] + wide, at[1]))

    monkeypatch.setattr(labels, 'draw_text', note)
    canvas, points = np.zeros((1000, 1000, 3), np.uint8), _shape(DATATANG106, 800.0, (100.0, 100.0))
    points[60] = points[61] = points[62]  # three points at one place
    labels.draw_labels(canvas, points, [str(i) for i in range(106)], [(255, 255, 255)] * 106, 800.0)
    assert len(boxes) == 106
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            assert min(wide, high) < 1.0


@pytest.mark.parametrize(
    ('image', 'points', 'more'),
    [
        (np.zeros((9, 9, 3), np.float32), np.zeros((68, 2)), {}),
        (np.zeros((9, 9, 4), np.uint8), np.zeros((68, 2)), {}),
        (np.zeros((0, 9, 3), np.uint8), np.zeros((68, 2)), {}),
        (np.zeros((9, 9, 3), np.uint8), np.zeros((106, 2)), {}),
        (np.zeros((9, 9, 3), np.uint8), np.zeros((68, 2)), dict(truth=np.zeros((67, 2)))),
        (np.zeros((9, 9, 3), np.uint8), np.zeros((68, 2)), dict(scores=np.zeros(2))),
    ],
)
def test_wrong_shapes_are_named(image, points, more) -> None:
    with pytest.raises(ValueError, match=r'\('):
        draw_face(image, points, IBUG68, **more)


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(1, 80), st.integers(1, 80)), min_size=1, max_size=7),
    columns=st.integers(1, 9),
    captions=st.booleans(),
)
def test_sheets_hold_all_pictures(sizes, columns: int, captions: bool) -> None:
    images = [np.full((*size, 3), 10, np.uint8) for size in sizes]
    texts = ['a name that is much too long for its cell.jpg'] * len(images) if captions else None
    sheet = tile(images, columns, cell=60, captions=texts)
    used = min(columns, len(images))
    assert sheet.shape[1] == 2 + used * 62
    assert cv2.connectedComponents((sheet[..., 0] < 15).astype(np.uint8))[0] - 1 >= len(images)
    assert tile([np.zeros((5, 5), np.uint8)], 1).shape[2] == 3


def test_sheets_refuse_nonsense() -> None:
    picture = np.zeros((5, 5, 3), np.uint8)
    for images, columns, captions in (([], 3, None), ([picture], 0, None), ([picture], 1, ['a', 'b'])):
        with pytest.raises(ValueError):
            tile(images, columns, captions=captions)


def test_needs_numpy_and_opencv_only() -> None:
    code = (
        'import sys, facealign.visualization.drawing; '
        'print([m for m in ("torch", "mmpose", "mmengine", "dlib", "scipy", "matplotlib") if m in sys.modules])'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
