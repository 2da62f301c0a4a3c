"""The model file in the repository is the one its card describes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from facealign import FaceAligner
from facealign.datasets.pts import read_pts
from facealign.evaluation.functional import auc
from facealign.inference.model_file import SHIPPED


def test_every_shipped_model_has_a_card_and_stays_small() -> None:
    models = sorted(SHIPPED.glob('*.onnx'))
    assert [model.stem for model in models] == sorted(card.stem for card in SHIPPED.glob('*.md'))
    for model in models:
        assert model.stat().st_size < 20e6


def test_face68_measures_what_its_card_says(shared: Path) -> None:
    stated = re.search(r'AUC@0\.08 \*\*([0-9.]+)\*\*', (SHIPPED / 'face68.md').read_text())
    assert stated is not None
    aligner = FaceAligner('face68')
    files = [
        path for part in ('helen', 'lfpw') for path in sorted((shared / 'data/300w' / part / 'testset').glob('*.pts'))
    ]
    assert len(files) == 554
    truth = [read_pts(path) for path in files]
    boxes = [np.concatenate([points.min(0), points.max(0)])[None] for points in truth]
    found = aligner([str(path.with_suffix('.jpg')) for path in files], boxes=boxes)
    errors = [
        np.linalg.norm(faces[0].points - points, axis=1).mean() / np.sqrt(np.prod(np.ptp(points, axis=0)))
        for faces, points in zip(found, truth)
    ]
    assert auc(np.array(errors), 0.08) == pytest.approx(float(stated[1]), abs=0.002)
