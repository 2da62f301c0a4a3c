"""Faces on their side or on their head: found and right, by either detector."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from facealign import FaceAligner
from facealign.cli import main
from facealign.inference.turned import turn_points
from facealign.io.image import read_image

FOLDER, TURNS = 'cases/14-rotated-faces', {'rot90.jpg': 90, 'down180.jpg': 180, 'rot270.jpg': 270}
YUNET = 'models/face_detection_yunet_n.onnx'


@pytest.mark.parametrize('detector', ['dlib-hog-retry', 'yunet'])
def test_one_portrait_has_the_same_points_at_every_angle(shared: Path, detector: str) -> None:
    aligner = FaceAligner(detector=f'yunet:{shared / YUNET}' if detector == 'yunet' else detector, threads=1)
    upright = []
    for name in TURNS:
        image = read_image(shared / FOLDER / name)
        [face] = aligner(image)
        assert not face.doubtful and face.turned
        upright.append(turn_points(face.points, face.turned // 90, (image.shape[1], image.shape[0])))
    size = np.ptp(upright[0], axis=0).max()
    for points in upright:
        eyes, chin = points[36:48].mean(axis=0), points[8]
        assert chin[1] > eyes[1] + size / 3  # the right way up
        apart = np.linalg.norm(points - upright[0], axis=1).mean()
        assert apart < 0.03 * size


def test_no_turned_says_that_they_are_doubtful(
    shared: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ['facealign', 'align', str(shared / FOLDER), '--no-turned', '--detector', f'yunet:{shared / YUNET}']
    monkeypatch.setattr('sys.argv', words)
    try:
        main()
    except SystemExit as end:
        assert not end.code
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(records) == 3
    for record in records:
        assert all(face['doubtful'] for face in record['faces'])
