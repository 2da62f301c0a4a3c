from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facealign.conversion.convert import Options, convert


@pytest.fixture(scope='module')
def converted(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The summary, and each kept face's keypoints [68, 3]."""
    out = tmp_path_factory.mktemp('odd')
    summary = convert('pts', shared / 'cases/09-odd-faces', out, Options(val=None, workers=1))
    coco = json.loads((out / 'train.json').read_text())
    names = {image['id']: image['file_name'] for image in coco['images']}
    faces = {names[face['image_id']]: np.reshape(face['keypoints'], (68, 3)) for face in coco['annotations']}
    return summary, faces


def test_unannotated_points_are_absent(converted: tuple[dict[str, Any], dict[str, np.ndarray]]) -> None:
    _, faces = converted
    contour = faces['f4.jpg'][:17]
    assert (contour == 0).all() and (faces['f4.jpg'][17:, 2] == 2).all()
    assert faces['f4.jpg'][17:, :2].min() > 8  # so that the box no longer begins at -1, -1
    assert (faces['f3.jpg'][:, 2] == 0).sum() == 12


def test_faces_without_enough_points_or_size_are_left_out_with_their_reason(
    converted: tuple[dict[str, Any], dict[str, np.ndarray]],
) -> None:
    summary, faces = converted
    assert sorted(faces) == ['f3.jpg', 'f4.jpg', 'f7.jpg']
    details = {reason: entry['details'] for reason, entry in summary['left_out'].items()}
    assert details == {
        'every point off the image': {},
        'face too small': {'f6.pts': '0.4 x 0.6 pixels'},
        'too few points': {'f0.pts': '2 of 68', 'f1.pts': '1 of 68'},
    }
