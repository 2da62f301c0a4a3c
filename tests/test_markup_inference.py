from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facealign.conversion.readers.datatang import read_datatang
from facealign.conversion.readers.w300 import read_300w
from facealign.markup import DATATANG106, IBUG68
from facealign.markup_inference import infer_markup
from facealign.synthetic.render import random_face


@pytest.fixture(scope='module')
def drawn() -> np.ndarray:
    return np.stack([random_face(seed, size=120).points68 for seed in range(16)])


def test_the_mirror_pairs_of_drawn_faces(drawn: np.ndarray) -> None:
    markup = infer_markup(drawn)
    assert markup.flip_indices == IBUG68.flip_indices
    assert markup.num_keypoints == 68 and markup.keypoint_names[67] == 'p67' and markup.name.startswith('points68-')
    assert infer_markup(drawn[::-1] * 3 + 7) == markup  # whatever their order, size and place
    assert infer_markup(drawn[:, ::-1]).name != markup.name


@pytest.mark.parametrize('chosen', [(36, 39, 42, 45, 30, 48, 54), (36, 45, 30, 48, 54), (8, 27), (0, 16), (36, 45, 8)])
def test_a_few_points(drawn: np.ndarray, chosen: tuple[int, ...]) -> None:
    expected = [chosen.index(IBUG68.flip_indices[point]) for point in chosen]
    assert list(infer_markup(drawn[:, chosen]).flip_indices) == expected


def test_absent_points_and_shuffled_numbers(drawn: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    order = rng.permutation(68)
    faces = drawn[:, order].copy()
    faces[rng.random(faces.shape[:2]) < 0.2] = np.nan
    flip = infer_markup(faces).flip_indices
    assert [order[flip[i]] for i in range(68)] == [IBUG68.flip_indices[point] for point in order]


def test_half_a_face_is_refused(drawn: np.ndarray) -> None:
    with pytest.raises(ValueError, match='the 8 points do not form two mirrored halves'):
        infer_markup(drawn[:, :8])


@pytest.mark.parametrize('count', [12, 300])
def test_real_faces(shared: Path, count: int) -> None:
    for reader, folder, markup in ((read_300w, '300w', IBUG68), (read_datatang, 'datatang106', DATATANG106)):
        faces = reader(shared / 'data' / folder).faces
        points = np.stack([face.points for face in faces[:: len(faces) // count]])
        assert infer_markup(points).flip_indices == markup.flip_indices
