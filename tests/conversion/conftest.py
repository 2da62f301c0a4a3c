"""Small data in the layouts of the datasets, for the tests of the readers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.io.pts import write_pts


@pytest.fixture
def put_image() -> Callable[..., Path]:
    """A function that writes an image of noise; another seed gives another picture."""

    def put(path: Path, size: tuple[int, int] = (120, 100), seed: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())
        return path

    return put


@pytest.fixture
def put_face(put_image: Callable[..., Path]) -> Callable[..., np.ndarray]:
    """A function that writes ``NAME.jpg`` with ``NAME.pts`` and returns the points, 0-based."""

    def put(path: Path, num_points: int = 68, size: tuple[int, int] = (120, 100), seed: int = 0) -> np.ndarray:
        put_image(path, size, seed)
        points = np.random.default_rng(seed + 1).uniform(20, 80, (num_points, 2)).round(3)
        write_pts(path.with_suffix('.pts'), points)
        return points

    return put


@pytest.fixture
def datatang_json() -> Callable[..., dict]:
    """A function that returns what a Datatang JSON file says; point i lies at (10 + i / 4, 20 + i / 2)."""

    def make(hidden: tuple[int, ...] = (), without: tuple[int, ...] = (), **attributes: str) -> dict:
        entries = [
            {
                'type': 'Point',
                'id': number,
                'coordinates': [10 + number / 4, 20 + number / 2],
                'properties': {'globaltype': 'inVisiblePoint' if number in hidden else 'visiblePoint'},
            }
            for number in range(1, 107)
            if number not in without
        ]
        return {'DataList': entries, 'WorkLoad': attributes, 'Filepath': 'session01\\000001.jpg'}

    return make


@pytest.fixture
def put_datatang(put_image: Callable[..., Path], datatang_json: Callable[..., dict]) -> Callable[..., None]:
    """A function that writes ``NAME.jpg`` with Datatang's ``NAME.json``."""

    def put(path: Path, seed: int = 0, **content: object) -> None:
        put_image(path, seed=seed)
        path.with_suffix('.json').write_text(json.dumps(datatang_json(**content)))

    return put
