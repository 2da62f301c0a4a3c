"""Intervals of runs that were measured before these were exact, from what the runs have kept of each face."""

from __future__ import annotations

from typing import Any

import numpy as np

from facealign.evaluation.report.results import FaceColumns, Run
from facealign.metrics import share_interval
from facealign.metrics.table import QUANTILES, quantile_ends, subset_masks


def refresh_intervals(run: Run) -> None:
    """Set the intervals of FR and of the quantiles of ``run`` anew; its values and other intervals stay."""
    if not run.results['resamples']:
        return
    for row in run.rows:
        faces = run.faces[row['name']]
        for subset, group in row['subsets'].items():
            mask = subset_masks(np.array(faces.subsets), run.results['unions'])[subset]
            _refresh(group, faces, mask, run.results['normaliser'])


def _refresh(group: dict[str, Any], faces: FaceColumns, mask: np.ndarray, main: str) -> None:
    for name, entry in group['normalisers'].items():
        if f'nme_{name}' not in faces.values:
            continue
        errors = faces.values[f'nme_{name}'][mask]
        _set_failure_rates(entry, np.count_nonzero(~np.isnan(errors)))
        for quantile, q in QUANTILES.items():
            entry[quantile] = {'value': entry[quantile]['value'], **quantile_ends(errors, q)}
    for kind in ('regions', 'visibility'):
        for name, part in group.get(kind, {}).items():
            if (column := faces.values.get(f'nme_{main}_{name}')) is not None:
                _set_failure_rates(part, np.count_nonzero(~np.isnan(column[mask])))
    for values in group.get('attributes', {}).values():
        for part in values.values():
            _set_failure_rates(part, part['faces'])


def _set_failure_rates(part: dict[str, Any], faces: int) -> None:
    for leaf in part['fr'].values():
        if leaf['value'] is not None and faces:
            leaf['low'], leaf['high'] = share_interval(round(leaf['value'] * faces), faces)
