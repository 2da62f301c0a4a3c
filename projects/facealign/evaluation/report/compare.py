"""Results of several runs side by side: the body of ``tools/compare.py``."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from facealign.errors import FaceAlignError
from facealign.evaluation.report.refresh import refresh_intervals
from facealign.evaluation.report.results import Run, read_run
from facealign.metrics.table import flat_metrics

_SAME = ('markup', 'normaliser', 'thresholds', 'unions')


def merge_runs(folders: Sequence[str | Path], keep: Sequence[str] = (), rename: dict[str, str] | None = None) -> Run:
    """One run with the rows of several, in the order given.

    A row that two runs have with the same numbers appears once; one of the
    same name with other numbers gets the name of its folder added.

    Args:
        folders: each with results.json and per_face.csv.
        keep: names (after renaming) of the rows wanted, in this order; empty: all.
        rename: old → new name of a row.

    Raises:
        FaceAlignError: no such runs or rows, or they were not measured alike.
    """
    rename = rename or {}
    merged: Run | None = None
    for folder in folders:
        run = read_run(folder)
        refresh_intervals(run)
        if merged is None:
            merged = Run({**run.results, 'rows': []}, {})
        for key in _SAME:
            if run.results[key] != merged.results[key]:
                raise FaceAlignError(
                    f'{folder}: its {key} is {run.results[key]}, that of {folders[0]} is {merged.results[key]}; '
                    'only runs measured alike can share a table'
                )
        for row in run.rows:
            name = rename.get(row['name'], row['name'])
            twin = next((other for other in merged.rows if other['name'] == name), None)
            if twin is not None and twin['subsets'] == row['subsets']:
                continue
            if twin is not None:
                name = f'{name} ({Path(folder).name})'
            merged.rows.append({**row, 'name': name})
            merged.faces[name] = run.faces[row['name']]
    assert merged is not None
    if keep:
        by_name = {row['name']: row for row in merged.rows}
        if missing := [name for name in keep if name not in by_name]:
            raise FaceAlignError(f'no row {", ".join(missing)}; there are: {", ".join(by_name)}')
        merged = dataclasses.replace(merged, results={**merged.results, 'rows': [by_name[name] for name in keep]})
        merged.faces = {name: merged.faces[name] for name in keep}
    return merged


def summary_number(run: Run, key: str, row: str, subset: str | None = None) -> float:
    """The number that a key of summary.json ends in the name of.

    ``….auc08`` → AUC@0.08, ``….fr1`` → FR@1, ``….nme_interocular`` and
    ``….mpd_px``, ``….ppr3_pct``, ``….nme_interocular_pct``: ``_pct`` makes percent of a fraction.

    Args:
        run: where it is looked up.
        key: such as ``yinnet.common.auc08``.
        row: name of the row.
        subset: None where the row has a single one.

    Raises:
        FaceAlignError: there is no such row, subset or number.
    """
    found = next((other for other in run.rows if other['name'] == row), None)
    if found is None:
        raise FaceAlignError(f'{key}: no row {row}; there are: {", ".join(other["name"] for other in run.rows)}')
    subsets = found['subsets']
    if subset is None and len(subsets) == 1:
        subset = next(iter(subsets))
    if subset not in subsets:
        raise FaceAlignError(f'{key}: give one of the subsets of {row}, as {row}@SUBSET: {", ".join(subsets)}')
    numbers = flat_metrics(subsets[subset], run.results['normaliser'])
    name = key.rpartition('.')[2]
    bare = name.removesuffix('_pct').removesuffix('_px')
    if match := re.fullmatch(r'(auc|fr|ppr)(\d+)', bare):
        kind, digits = match.groups()
        decimal = f'0.{digits}' if digits.startswith('0') else digits
        bare = f'{kind}@{decimal}'
    if bare not in numbers:
        raise FaceAlignError(f'{key}: "{name}" names no number; write {", ".join(numbers)}, without "@" and points')
    return numbers[bare] * (100 if name.endswith('_pct') else 1)
