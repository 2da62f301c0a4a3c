"""dlib's shape predictor from a file, which is tried in a process of its own first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from facealign.errors import FaceAlignError
from facealign.utils.reading import check_regular

_MAX_BYTES = 2**30
_MAX_SECONDS = 120  # of the clock, for loading what has 100 MB and more
# dlib does not look whether the numbers in a file are places in its tables, so that a damaged one ends the process.
_TRY = """
import sys, dlib, numpy as np
predictor = dlib.shape_predictor(sys.argv[1])
random = np.random.default_rng(0)
for i in range(24):
    image = random.integers(0, 256, (8, 8, 3), dtype=np.uint8).repeat(12, 0).repeat(12, 1)
    predictor(image, dlib.rectangle(*random.integers(0, 30, 2).tolist(), *random.integers(60, 96, 2).tolist()))
"""


def open_predictor(path: Path, remedy: str) -> Any:
    """The predictor in ``path``.

    Raises:
        FaceAlignError: dlib is not installed, or the file is missing, damaged or another.
    """
    try:
        import dlib
    except ImportError as error:
        raise FaceAlignError('dlib is not installed; pip install dlib-bin') from error
    try:
        check_regular(path, _MAX_BYTES)
        tried = subprocess.run(
            [sys.executable, '-c', _TRY, str(path)], capture_output=True, timeout=_MAX_SECONDS, check=False
        )
        if tried.returncode:
            raise ValueError('it fails at its work')
        return dlib.shape_predictor(str(path))
    except (OSError, RuntimeError, MemoryError, ValueError, subprocess.TimeoutExpired) as error:
        raise FaceAlignError(f'{path}: not a dlib predictor; {remedy}') from error
