"""The files of a test run, made without a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facealign.evaluation.report.results import Run, face_columns, results_head, write_run
from facealign.markup import IBUG68
from facealign.metrics.faces import Faces
from facealign.metrics.table import UNIONS, ErrorTable, measure, subset_masks


def make_run(folder: Path, **rows: float) -> Run:
    """Write a run of rows name=noise in pixels, on the same 20 faces of about 100 pixels."""
    points = np.random.default_rng(0).uniform(0, 100, (20, 68, 2))
    run = Run({**results_head('ibug68', 'landmark_bbox', (0.08, 1.0), UNIONS, 50), 'rows': []}, {})
    for name, noise in rows.items():
        predictions = points + np.random.default_rng(1).normal(0, noise, points.shape)
        subsets = np.array(['common', 'challenge'] * 10)
        table = ErrorTable(Faces.of_arrays(predictions, points, subsets=subsets), IBUG68)
        measured = {subset: measure(table, mask, resamples=50) for subset, mask in subset_masks(subsets).items()}
        run.rows.append(dict(name=name, about={}, subsets=measured))
        run.faces[name] = face_columns(table, 'landmark_bbox')
    write_run(run, folder)
    return run
