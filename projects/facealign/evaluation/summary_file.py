"""``docs/results/summary.json``: a flat map from key to number, written by the commands that measure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from facealign.errors import FaceAlignError
from facealign.utils.files import atomic_write_json
from facealign.utils.reading import MEBIBYTE, read_json


def update_summary(path: str | os.PathLike[str], numbers: Mapping[str, float], digits: int = 6) -> None:
    """Set ``numbers`` in the file, keep its other keys; keys are sorted, so that diffs are small.

    Args:
        path: made if it is missing.
        numbers: key → finite number.
        digits: significant ones that are written.

    Raises:
        FaceAlignError: not such a file, cannot be written, or a number is not finite.
    """
    path = Path(path)
    summary = {}
    if path.exists():
        try:
            summary = read_json(path, MEBIBYTE)
        except (OSError, ValueError) as error:
            raise FaceAlignError(f'{path}: cannot be read as JSON; correct or remove it') from error
        if not isinstance(summary, dict):
            raise FaceAlignError(f'{path}: not a map from key to number; correct or remove it')
    summary.update({key: float(f'{number:.{digits}g}') for key, number in numbers.items()})
    try:
        atomic_write_json(path, dict(sorted(summary.items())), indent=2)
    except ValueError as error:
        raise FaceAlignError(f'{path}: a number to write is not finite, among {", ".join(numbers)}') from error
