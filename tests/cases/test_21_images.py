"""Crafted images: refused in one line by every command, before a decoder sees them."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.conversion.crop import crop_faces
from facealign.errors import FaceAlignError
from facealign.io.image import read_image
from facealign.io.image_header import read_header
from facealign.structures.records import FaceRecord

ROOT = Path(__file__).resolve().parents[2]
NAMES = ['1558.jp2', '1829.jp2', 'bomb30k_grey1bit.png']


@pytest.fixture(params=NAMES)
def crafted(request, shared, monkeypatch) -> Path:
    def decoder(*_: object) -> None:
        raise AssertionError('it was decoded')

    monkeypatch.setattr(cv2, 'imdecode', decoder)
    return shared / 'cases' / '21-images' / request.param


def test_readers(crafted) -> None:
    reason = 'million pixels' if crafted.suffix == '.png' else 'JPEG 2000'
    for read in (read_image, read_header):
        with pytest.raises(FaceAlignError, match=reason):
            read(crafted)


def test_the_suffix_does_not_matter(crafted, tmp_path) -> None:
    shutil.copyfile(crafted, tmp_path / 'a.jpg')
    with pytest.raises(FaceAlignError, match='a.jpg: '):
        read_image(tmp_path / 'a.jpg')


def test_conversion(crafted, tmp_path) -> None:
    shutil.copyfile(crafted, tmp_path / 'a.png')
    points = np.random.default_rng(0).uniform(10, 90, (68, 2))
    face = FaceRecord(tmp_path, 'a.png', points, (100, 100), 'mine', 'train')
    assert crop_faces([face], tmp_path / 'out', workers=1) == [None]


def test_training(crafted) -> None:
    transforms = pytest.importorskip('facealign.datasets.transforms')
    with pytest.raises(FaceAlignError):
        transforms.LoadFaceImage().transform({'img_path': str(crafted)})


def test_the_command(shared, make_model, tmp_path) -> None:
    """The whole folder in one run, with little memory."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (1500 << 20, 1500 << 20))

    folder = tmp_path / 'photos'
    shutil.copytree(shared / 'cases' / '21-images', folder, copy_function=shutil.copyfile)
    cv2.imwrite(str(folder / 'good.png'), np.zeros((50, 50, 3), np.uint8))
    os.mkfifo(folder / 'pipe.jpg')
    words = ['align', folder, '--out', tmp_path / 'out', '--model', make_model('fixed'), '--detector', 'whole']
    done = subprocess.run(
        [sys.executable, '-m', 'facealign.cli', *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT / 'projects'), 'OMP_NUM_THREADS': '1', 'MALLOC_PERTURB_': '165'},
        timeout=120,
        preexec_fn=limit,
    )
    assert done.returncode == 1 and 'Traceback' not in done.stderr
    assert len(done.stderr.splitlines()) == 5 and '1 done' in done.stderr, done.stderr
    for name in (*NAMES, 'pipe.jpg'):
        assert any(name in line for line in done.stderr.splitlines())
