"""The mean over a face and its mirror image."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from facealign import cli
from facealign.inference.aligner import FaceAligner
from facealign.inference.flip_test import FlipTest
from facealign.inference.model_file import OnnxModel, model_path
from facealign.markup import IBUG68, flip_points


class _Scripted:
    """Answers with points and scores prepared for each call."""

    name, info = 'scripted', SimpleNamespace(markup=IBUG68, annotation_offset=0)

    def __init__(self, *answers: tuple[np.ndarray, np.ndarray]) -> None:
        self.answers, self.seen = list(answers), []

    def __call__(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.seen.append(crops)
        return self.answers.pop(0)


def test_second_answer_is_brought_back_and_averaged() -> None:
    generator = np.random.default_rng(0)
    crops = generator.integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    first, second = generator.uniform(0, 63, (2, 2, 68, 2))
    scores = generator.uniform(0, 1, (2, 2, 68))
    model = _Scripted((first, scores[0]), (second, scores[1]))
    points, mean = FlipTest(model)(crops)
    np.testing.assert_array_equal(model.seen[1], crops[:, :, ::-1])
    for face in range(2):
        # By hand for two points: the jaw's ends (0, 16) change sides, the chin (8) stays.
        np.testing.assert_allclose(points[face, 0, 0], (first[face, 0, 0] + 63 - second[face, 16, 0]) / 2)
        np.testing.assert_allclose(points[face, 0, 1], (first[face, 0, 1] + second[face, 16, 1]) / 2)
        np.testing.assert_allclose(points[face, 8, 0], (first[face, 8, 0] + 63 - second[face, 8, 0]) / 2)
        np.testing.assert_allclose(mean[face, 16], (scores[0, face, 16] + scores[1, face, 0]) / 2)


def test_the_annotators_offset_survives_the_mean() -> None:
    points = np.random.default_rng(0).uniform(0, 63, (1, 68, 2))
    scores = np.ones((1, 68))
    to_the_right = np.array([0.5, 0])
    # Both answers lie to the right of where the network sees the points, so the mirrored one's to their left.
    model = _Scripted((points + to_the_right, scores), (flip_points(points, 64, IBUG68) + to_the_right, scores))
    model.info = SimpleNamespace(markup=IBUG68, annotation_offset=0.5)
    found, _ = FlipTest(model)(np.zeros((1, 64, 64, 3), dtype=np.uint8))
    np.testing.assert_allclose(found, points + to_the_right, atol=1e-9)


def test_a_mirrored_crop_gives_the_mirrored_points() -> None:
    """True of the mean alone: no network is that even."""
    crops = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)
    crops = cv2.resize(crops[0], (128, 128), interpolation=cv2.INTER_CUBIC)[None]
    mirrored = np.ascontiguousarray(crops[:, :, ::-1])
    network = OnnxModel(model_path(), threads=1)
    both = FlipTest(network)
    np.testing.assert_allclose(flip_points(both(mirrored)[0], 128, IBUG68), both(crops)[0], atol=1e-3)
    assert np.abs(flip_points(network(mirrored)[0], 128, IBUG68) - network(crops)[0]).max() > 0.5


def test_aligner_and_command_use_it(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    image = np.random.default_rng(1).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / 'face.png'), image)
    plain, both = (FaceAligner(detector='whole', flip_test=flip)(image, color='bgr')[0] for flip in (False, True))
    assert np.abs(plain.points - both.points).max() > 0.1
    assert cli._run(['align', str(tmp_path / 'face.png'), '--detector', 'whole', '--flip-test']) == 0
    [face] = json.loads(capsys.readouterr().out.splitlines()[0])['faces']
    np.testing.assert_allclose(face['points'], both.points, atol=0.01)
