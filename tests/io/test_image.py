"""Reading images: whole ones, and every kind of broken one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facealign.errors import FaceAlignError
from facealign.io.image import decode_image, read_image


def jpeg(side: int = 64) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return cv2.imencode('.jpg', noise)[1].tobytes()


def png(side: int = 64) -> bytes:
    return cv2.imencode('.png', np.full((side, side, 3), 9, np.uint8))[1].tobytes()


def test_whole_images_are_read() -> None:
    assert decode_image(jpeg()).shape == (64, 64, 3)
    assert decode_image(png()).shape == (64, 64, 3)
    assert decode_image(jpeg() + b'appended by a camera' * 9).shape == (64, 64, 3)
    progressive = cv2.imencode('.jpg', np.eye(64, dtype=np.uint8) * 255, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert decode_image(progressive).shape == (64, 64, 3)


def test_a_whole_thumbnail_inside_does_not_hide_a_truncation() -> None:
    thumbnail = jpeg(16)
    segment = b'\xff\xe1' + (len(thumbnail) + 2).to_bytes(2, 'big') + thumbnail
    whole = jpeg()[:2] + segment + jpeg()[2:]
    assert decode_image(whole).shape == (64, 64, 3)
    with pytest.raises(ValueError, match='truncated'):
        decode_image(whole[:-50])


@pytest.mark.parametrize('share', [0.05, 0.3, 0.6, 0.95, 0.999])
@pytest.mark.parametrize('data', [jpeg(), png()], ids=['jpeg', 'png'])
def test_truncated_anywhere(data, share) -> None:
    with pytest.raises(ValueError, match='truncated|not an image'):
        decode_image(data[: int(len(data) * share)])


def test_messages_name_the_file(tmp_path) -> None:
    (tmp_path / 'folder.jpg').mkdir()
    (tmp_path / 'empty.jpg').touch()
    (tmp_path / 'text.png').write_text('text')
    cv2.imwrite(str(tmp_path / 'dot.png'), np.zeros((1, 1, 3), np.uint8))
    expected = {
        'folder.jpg': 'is a folder',
        'empty.jpg': 'empty file',
        'text.png': 'not an image',
        'dot.png': 'only 1×1 pixels',
        'missing.jpg': 'cannot be read',
    }
    for name, message in expected.items():
        with pytest.raises(FaceAlignError, match=message) as caught:
            read_image(tmp_path / name)
        assert name in str(caught.value)


def test_the_real_images_are_all_whole(shared) -> None:
    folder = shared / 'data' / '300w' / 'afw'
    for path in sorted(folder.glob('*.jpg'))[:40]:
        assert read_image(path).ndim == 3
