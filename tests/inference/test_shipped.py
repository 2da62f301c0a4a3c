"""The model files in the repository are the ones that their cards describe."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from facealign import FaceAligner
from facealign.conversion.readers.datatang import parse_datatang
from facealign.inference.model_file import DEFAULT_MODEL, SHIPPED
from facealign.io.pts import read_pts
from facealign.metrics import auc
from facealign.metrics.calibration import max_gap, reliability

RIGHT_WITHIN = 0.05  # what a score is the probability of; see the cards
MODELS = sorted(model.stem for model in SHIPPED.glob('*.onnx'))


def test_every_shipped_model_has_a_card_and_stays_small() -> None:
    assert DEFAULT_MODEL in MODELS == sorted(card.stem for card in SHIPPED.glob('*.md'))
    assert all((SHIPPED / f'{model}.onnx').stat().st_size < 20e6 for model in MODELS)


def _common_faces(shared: Path) -> dict[Path, np.ndarray]:
    parts = [sorted((shared / 'data/300w' / part / 'testset').glob('*.pts')) for part in ('helen', 'lfpw')]
    faces = {path.with_suffix('.jpg'): read_pts(path) for part in parts for path in part}
    assert len(faces) == 554
    return faces


def _datatang_test_faces(shared: Path) -> dict[Path, np.ndarray]:
    files = sorted((shared / 'data/datatang106').glob('*.json'))
    return {path.with_suffix('.jpg'): parse_datatang(path).points for path in files if int(path.stem) % 10 < 2}


@pytest.mark.parametrize('name', MODELS)
def test_model_measures_what_its_card_says(name: str, shared: Path) -> None:
    stated = re.search(r'AUC@0\.08 \*\*([0-9.]+)\*\*', (SHIPPED / f'{name}.md').read_text())
    assert stated is not None
    aligner = FaceAligner(name)
    faces = _common_faces(shared) if aligner.model.info.markup.name == 'ibug68' else _datatang_test_faces(shared)
    rectangles = [np.concatenate([np.nanmin(truth, 0), np.nanmax(truth, 0)]) for truth in faces.values()]
    found = aligner(list(faces), boxes=[rectangle[None] for rectangle in rectangles])
    errors = [
        np.nanmean(np.linalg.norm(faces_[0].points - truth, axis=1)) / np.sqrt(np.prod(rectangle[2:] - rectangle[:2]))
        for faces_, truth, rectangle in zip(found, faces.values(), rectangles)
    ]
    apart = np.stack([np.linalg.norm(faces_[0].points - truth, axis=1) for faces_, truth in zip(found, faces.values())])
    sides = np.array([(rectangle[2:] - rectangle[:2]).max() for rectangle in rectangles])
    known = np.isfinite(apart)
    bins = reliability(
        np.stack([faces_[0].scores for faces_ in found])[known], (apart < RIGHT_WITHIN * sides[:, None])[known]
    )
    # The 106 points' scores are fitted on 78 faces only.
    assert max_gap(bins) <= (0.05 if aligner.model.info.markup.name == 'ibug68' else 0.08)
    assert auc(np.array(errors), 0.08) == pytest.approx(float(stated[1]), abs=0.002)
