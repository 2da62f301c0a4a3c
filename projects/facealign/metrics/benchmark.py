"""How long measuring takes: the body of ``tools/benchmark.py evaluate``."""

from __future__ import annotations

import re
import resource
import sys
import time
from pathlib import Path

import numpy as np

from facealign.markup import Markup
from facealign.metrics.faces import Faces
from facealign.metrics.table import ErrorTable, measure


def benchmark_evaluate(markup: Markup, faces: int, resamples: int = 1000, seed: int = 0) -> dict[str, float]:
    """Measure ``faces`` random faces: every metric, region and point, with bootstrap intervals.

    Returns:
        ``seconds`` of wall time from the arrays of points to all numbers, and
        ``gib``, the most memory this process has held so far.
    """
    data = random_faces(markup, faces, seed)
    start = time.perf_counter()
    measure(ErrorTable(data, markup), resamples=resamples)
    return dict(seconds=time.perf_counter() - start, gib=peak_gib())


def random_faces(markup: Markup, faces: int, seed: int = 0) -> Faces:
    """Points strewn over a box of 250 pixels, predictions about 4 pixels off, a twentieth of the points hidden."""
    random = np.random.default_rng(seed)
    shape = (faces, markup.num_keypoints, 2)
    points = random.random(shape, np.float32) * 250
    predictions = random.standard_normal(shape, np.float32)
    predictions *= 3
    predictions += points
    visibility = np.where(random.random(shape[:2], np.float32) < 0.05, 1, 2).astype(np.uint8)
    return Faces.of_arrays(predictions, points, visibility=visibility, image_sizes=np.full((faces, 2), 450.0))


def peak_gib() -> float:
    """The most memory this process has held, GiB."""
    status = Path('/proc/self/status')
    if status.is_file():  # ru_maxrss would count what the parent held when it started this process
        return int(re.search(r'VmHWM:\s*(\d+) kB', status.read_text())[1]) / 2**20  # type: ignore[index]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**30 if sys.platform == 'darwin' else peak / 2**20
