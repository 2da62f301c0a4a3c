"""Pseudo-labels: right where the model is, absent where its answers differ with the box."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.conversion.pseudo_labels import POINT_SPREAD, pseudo_labels, spread_of
from facealign.detection.calibration import get_box_rule
from facealign.inference.aligner import FaceAligner
from facealign.inference.model_file import OnnxModel, model_path
from facealign.synthetic.render import random_face


class _Unsure:
    """The shipped model, whose second point changes from one call to the next, in half of the pictures all points."""

    def __init__(self) -> None:
        self._model, self.name = OnnxModel(model_path(), threads=1), 'unsure'
        self.info, self.random, self.shaken = self._model.info, np.random.default_rng(0), np.array([1])

    def __call__(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        points, scores = self._model(crops)
        points[:, self.shaken] += self.random.normal(0, 8, (len(points), len(self.shaken), 2))
        return points, scores


@pytest.fixture(scope='module')
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """A folder of two faces, their boxes and their points."""
    root, boxes, truth = tmp_path_factory.mktemp('drawn'), {}, {}
    for seed in (1, 2):
        name = f'{seed}.png'
        face = random_face(seed, 160)
        cv2.imwrite(str(root / name), face.image)
        truth[name] = points = face.points68
        boxes[name] = np.array([[*points.min(axis=0), *points.max(axis=0), 1.0]])
    return root, boxes, truth


def test_points_are_the_model_s_where_it_is_sure(drawn) -> None:
    root, boxes, truth = drawn
    aligner = FaceAligner('lite68', detector='whole', threads=1, turned=False)
    found = pseudo_labels(aligner, root, boxes, get_box_rule('landmarks'))
    assert [face.file_name for face in found.faces] == list(boxes)
    for face in found.faces:
        size = np.sqrt(np.prod(np.ptp(truth[face.file_name], axis=0)))
        known = face.annotated
        assert known.mean() > 0.9
        error = np.linalg.norm(face.points - truth[face.file_name], axis=1)[known].mean() / size
        assert error < 0.06


def test_what_changes_with_the_box_is_absent_or_left_out(drawn) -> None:
    root, boxes, _ = drawn
    model = _Unsure()
    aligner = FaceAligner(model, detector='whole', turned=False)
    found = pseudo_labels(aligner, root, boxes, get_box_rule('landmarks'))
    assert all(not face.annotated[1] and face.annotated[2:].mean() > 0.9 for face in found.faces)
    assert len(found.faces) == 2
    model.shaken = np.arange(68)
    found = pseudo_labels(aligner, root, boxes, get_box_rule('landmarks'))
    assert not found.faces
    assert [one.reason for one in found.left_out] == 2 * ['points differ between boxes']


def test_an_unreadable_image_is_named(tmp_path: Path) -> None:
    (tmp_path / 'a.png').write_bytes(b'no picture')
    aligner = FaceAligner('lite68', detector='whole', threads=1, turned=False)
    found = pseudo_labels(aligner, tmp_path, {'a.png': np.array([[0, 0, 9, 9, 1.0]])}, get_box_rule('landmarks'))
    assert [(one.file, one.reason) for one in found.left_out] == [('a.png', 'image cannot be read')]


def test_spread_by_hand() -> None:
    # Two answers 2 apart are each 1 from their mean; the mean face is 10 × 10.
    square = np.array([[0.0, 0], [10, 0], [10, 10], [0, 10]])
    moved = square + [[0, 0], [0, 0], [2, 0], [0, 0]]
    expected = 1 / np.sqrt(11 * 10)
    np.testing.assert_allclose(spread_of(np.stack([square, moved])), [0, 0, expected, 0])
    assert expected > POINT_SPREAD
