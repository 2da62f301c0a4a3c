"""Pictures in: image files and arrays of any kind → the one kind the rest works on, BGR uint8."""

from __future__ import annotations

import os
import re
from pathlib import Path

import cv2
import numpy as np

from facealign.errors import FaceAlignError

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.jp2', '.pgm', '.ppm')
# No detector finds a face in fewer pixels; the scaling steps would also end at size 0.
MIN_SIDE = 12
COLORS = ('bgr', 'rgb')
# Markers that end a JPEG's compressed data: all but escaped ff, restarts and fill bytes.
_JPEG_MARKER = re.compile(rb'\xff[^\x00\xd0-\xd7\xff]')


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """A BGR image [H, W, 3] uint8, turned by its EXIF orientation.

    Grey images become three equal channels, alpha is dropped, 16 bits become 8.

    Raises:
        FaceAlignError: missing, a folder, empty, not an image, truncated, or too small.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except IsADirectoryError as error:
        raise FaceAlignError(f'{path}: is a folder, not an image') from error
    except OSError as error:
        raise FaceAlignError(
            f'{path}: cannot be read ({error.strerror}); check the name and your permissions'
        ) from error
    try:
        return decode_image(data)
    except ValueError as error:
        raise FaceAlignError(f'{path}: {error}') from error


def decode_image(data: bytes) -> np.ndarray:
    """The bytes of an image file → BGR [H, W, 3] uint8, as :func:`read_image`.

    Raises:
        ValueError: what is wrong with them.
    """
    if not data:
        raise ValueError('empty file; copy it again from its source')
    if _truncated(data):
        raise ValueError('truncated image; copy it again from its source')
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None  # such as more pixels than OpenCV reads
    if image is None:
        raise ValueError(f'not an image that OpenCV can read; one of {", ".join(IMAGE_SUFFIXES)} is wanted')
    _check_size(image)
    return image


def as_bgr(image: np.ndarray, color: str | None = None) -> np.ndarray:
    """Any array of an image → BGR [H, W, 3] uint8.

    Args:
        image: [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] (alpha last, ignored);
            uint8, or uint16 of the full 16-bit range.
        color: ``bgr`` or ``rgb``; must be named for 3 and 4 channels.

    Raises:
        FaceAlignError: another shape or type, too small, or the colour order is not named.
    """
    image = np.asarray(image)
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)  # as OpenCV reads 16-bit files
    if image.dtype != np.uint8:
        raise FaceAlignError(f'image array: is {image.dtype}; uint8 or uint16 is wanted (multiply a 0-1 image by 255)')
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.ndim == 2:
        _check_array_size(image)
        return np.repeat(image[..., None], 3, axis=2)
    if image.ndim != 3 or image.shape[2] not in (3, 4):
        raise FaceAlignError(f'image array: has shape {image.shape}; [H, W], [H, W, 3] or [H, W, 4] is wanted')
    if color not in COLORS:
        raise FaceAlignError(
            f'image array: its colour order is not named; give color="bgr" (OpenCV) or color="rgb", not {color!r}'
        )
    _check_array_size(image)
    image = image[..., :3]
    return np.ascontiguousarray(image if color == 'bgr' else image[..., ::-1])


def _check_array_size(image: np.ndarray) -> None:
    try:
        _check_size(image)
    except ValueError as error:
        raise FaceAlignError(f'image array: {error}') from error


def _check_size(image: np.ndarray) -> None:
    height, width = image.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise ValueError(f'only {width}×{height} pixels, too small to hold a face')


def _truncated(data: bytes) -> bool:
    """Whether a JPEG or PNG lacks its end; OpenCV would fill the rest with grey and say nothing."""
    if data[:2] == b'\xff\xd8':
        return not _jpeg_ends(data)
    return data[:8] == b'\x89PNG\r\n\x1a\n' and b'IEND' not in data[-64 << 10 :]


def _jpeg_ends(data: bytes) -> bool:
    """Walk a JPEG's segments (ITU T.81, annex B) to its end marker; what cameras append does not matter."""
    at = 2
    while (marker := _JPEG_MARKER.search(data, at)) is not None:
        if data[marker.end() - 1] == 0xD9:
            return True
        at = marker.end()
        if at + 2 <= len(data) and data[at - 1] != 0x01:  # all but TEM have a length
            at += int.from_bytes(data[at : at + 2], 'big')
    return False
