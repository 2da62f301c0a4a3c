from __future__ import annotations

import io
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from facealign.errors import FaceAlignError
from facealign.io.image_header import read_header, stored_to_shown


def _picture(width: int = 60, height: int = 40) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.bmp', '.webp', '.tif'])
def test_size_without_decoding(tmp_path: Path, suffix: str) -> None:
    _picture().save(tmp_path / f'a{suffix}')
    assert read_header(tmp_path / f'a{suffix}').size == (60, 40)


@pytest.mark.parametrize('mode', ['L', 'CMYK'])
def test_grey_and_print_images(tmp_path: Path, mode: str) -> None:
    _picture().convert(mode).save(tmp_path / 'a.jpg')
    assert read_header(tmp_path / 'a.jpg').size == (60, 40)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_exif_orientation_is_as_opencv_decodes_it(tmp_path: Path, orientation: int) -> None:
    # One bright block; its centre is found in what OpenCV shows and computed from the stored pixels.
    pixels = np.zeros((80, 120), dtype=np.uint8)
    pixels[20:27, 90:97] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / 'a.jpg'
    Image.fromarray(pixels).save(path, exif=exif, quality=100)
    header = read_header(path)
    shown = cv2.imread(str(path))[..., 0]
    assert header.size == shown.shape[::-1]
    rows, columns = np.nonzero(shown > 128)
    centre = stored_to_shown(np.array([[93.0, 23.0]]), header)[0]
    assert centre == pytest.approx([columns.mean(), rows.mean()], abs=0.3)


def test_an_odd_orientation_tag_counts_as_none(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 77
    _picture().save(tmp_path / 'a.jpg', exif=exif)
    assert read_header(tmp_path / 'a.jpg').orientation == 1


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
@pytest.mark.parametrize('share', [0.5, 0.9, 0.99])
def test_a_truncated_image_is_recognised(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f'a{suffix}'
    _picture().save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FaceAlignError, match='truncated'):
        read_header(path)


def test_bytes_after_the_end_do_no_harm(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    _picture().save(buffer, 'JPEG')
    (tmp_path / 'a.jpg').write_bytes(buffer.getvalue() + b'a comment that a camera left')
    assert read_header(tmp_path / 'a.jpg').size == (60, 40)


@pytest.mark.parametrize(
    'content, message', [(b'', 'empty'), (b'no image at all', 'not an image'), (b'\xff\xd8\xff', 'truncated')]
)
def test_what_is_no_image_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / 'a.jpg').write_bytes(content)
    with pytest.raises(FaceAlignError, match=message):
        read_header(tmp_path / 'a.jpg')


def test_unreadable_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'folder.jpg').mkdir()
    with pytest.raises(FaceAlignError, match='is a folder'):
        read_header(tmp_path / 'folder.jpg')

    def refuse(*_: object) -> int:
        raise PermissionError(13, 'Permission denied')

    monkeypatch.setattr(os, 'open', refuse)
    with pytest.raises(FaceAlignError, match='Permission denied'):
        read_header(tmp_path / 'a.jpg')
