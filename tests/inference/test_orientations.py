"""The same picture in every format and orientation: the same points as of the upright one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from facealign import FaceAligner
from facealign.io.image import turned
from facealign.synthetic.render import random_face

# All but lossless: what a lossy format does to a picture depends on how it lies.
FORMATS = {
    'a.jpg': dict(quality=100, subsampling=0),
    'a.png': {},
    'a.webp': dict(lossless=True),
    'a.tif': dict(compression='tiff_lzw'),
}
# On the upright picture; given, because a detector answers to a grey level with another box.
BOX = [70, 70, 215, 215]
# Which orientation's turn undoes each.
INVERSE = {**{orientation: orientation for orientation in range(1, 8)}, 6: 8, 8: 6}


@pytest.fixture(scope='module')
def aligner() -> FaceAligner:
    return FaceAligner('lite68', 'whole')


@pytest.fixture(scope='module')
def upright() -> np.ndarray:
    """A drawn face, off the middle of an oblong picture; not a face from any other side."""
    face = random_face(7).image
    canvas = np.full((304, 416, 3), 90, np.uint8)
    canvas[20 : 20 + face.shape[0], 40 : 40 + face.shape[1]] = face[:280, :380]
    return canvas


@pytest.mark.parametrize('name', list(FORMATS))
def test_points_are_those_of_the_upright_picture(aligner, upright, name, tmp_path: Path) -> None:
    def points(orientation: int) -> np.ndarray:
        stored = turned(upright, INVERSE[orientation])
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = tmp_path / f'{orientation}{name}'
        Image.fromarray(cv2.cvtColor(stored, cv2.COLOR_BGR2RGB)).save(path, exif=exif, **FORMATS[name])
        [face] = aligner(path, [BOX])
        return face.points

    expected = points(1)
    for orientation in range(2, 9):
        assert np.abs(points(orientation) - expected).max() < 0.5, f'orientation {orientation}'
