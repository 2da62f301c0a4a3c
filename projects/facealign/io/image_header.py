"""Image files before they are decoded: kind, size, orientation, limits."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facealign.errors import FaceAlignError
from facealign.io.image_formats import IMAGE_SUFFIXES, RAW_SUFFIXES, UNREAD_SUFFIXES, kind_of, parse
from facealign.utils.reading import read_bytes

__all__ = ['IMAGE_SUFFIXES', 'UNREAD_SUFFIXES', 'ImageHeader', 'read_header', 'read_image_file', 'stored_to_shown']

# A picture of 100 million pixels takes 300 MB once decoded; FACEALIGN_MAX_PIXELS allows others.
MAX_PIXELS = 100_000_000
_LIMIT = 'FACEALIGN_MAX_PIXELS'
# Of a file, for each pixel that a picture may have: what 8 bits of red, green, blue and alpha take.
_BYTES_PER_PIXEL = 4
_TWICE = ('AVIF', 'HEIC')  # their decoders take twice the memory of others


@dataclass(frozen=True)
class ImageHeader:
    """What a file's header says.

    Attributes:
        width, height: of the picture as shown: turned by its orientation.
        orientation: as in EXIF, 1 to 8; 1 means stored as shown.
        kind: JPEG, PNG, WebP, TIFF, BMP, PNM, GIF, AVIF or HEIC.
        orientation_at: see :class:`facealign.io.image_formats.Stored`.
    """

    width: int
    height: int
    orientation: int = 1
    kind: str = ''
    orientation_at: int = 0

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height


def read_header(path: str | os.PathLike[str]) -> ImageHeader:
    """Size and orientation of an image, without decoding it.

    Raises:
        FaceAlignError: unreadable, not an image that is read, truncated or too large.
    """
    return read_image_file(path)[1]


def read_image_file(path: str | os.PathLike[str]) -> tuple[bytes, ImageHeader]:
    """The bytes of an image file and its header.

    Only regular files are read: a pipe would wait, and a device never ends.

    Raises:
        FaceAlignError: as :func:`read_header`.
    """
    data = _read_bytes(path)
    try:
        header = inspect(data)
    except ValueError as error:
        raise FaceAlignError(f'{path}: {error}') from error
    if header.kind == 'TIFF' and Path(path).suffix.lower() in RAW_SUFFIXES:
        raise FaceAlignError(f'{path}: a raw camera file, which is not read; save it as JPEG or PNG')
    return data, header


def inspect(data: bytes) -> ImageHeader:
    """The header in the bytes of an image file.

    Raises:
        ValueError: what is wrong with them, or with how many pixels they say they hold.
    """
    if not data:
        raise ValueError('empty file; copy it again from its source')
    kind = kind_of(data)
    stored = parse(kind, data)
    if stored is None:
        width, height, orientation, at = *_ask_pillow(data, kind), 0
    else:
        width, height, orientation, whole, at = stored
        if not whole:
            raise ValueError('truncated image; copy it again from its source')
    check_pixels(width, height, kind)
    if orientation >= 5:
        width, height = height, width
    return ImageHeader(width, height, orientation, kind, at)


def check_pixels(width: int, height: int, kind: str = '') -> None:
    """Raises ValueError where a picture is larger than is decoded, or has no pixels at all."""
    limit = max_pixels() // (2 if kind in _TWICE else 1)
    if width < 1 or height < 1:
        raise ValueError(f'not an image that is read: its size is {width}×{height}; copy it again from its source')
    if width * height > limit:
        raise ValueError(
            f'{width}×{height} is more than {limit / 1e6:g} million pixels; scale it down, or set {_LIMIT}'
        )


def max_pixels() -> int:
    """How many pixels a picture may have: ``FACEALIGN_MAX_PIXELS``, or 100 million.

    Raises:
        FaceAlignError: the variable is no number.
    """
    text = os.environ.get(_LIMIT)
    if not text:
        return MAX_PIXELS
    if not text.isascii() or not text.isdigit() or not 1 <= len(text) <= 10:
        raise FaceAlignError(f'{_LIMIT}={text}: a number of pixels is wanted, such as {MAX_PIXELS}')
    return int(text)


def open_with_pillow(data: bytes, kind: str) -> Any:
    """A PIL image, not decoded yet, of a kind that OpenCV does not read everywhere.

    Raises:
        ValueError: damaged, or the library that reads it is not installed.
    """
    import io
    import warnings

    from PIL import Image  # not with the module: JPEG and PNG need no Pillow

    if kind == 'HEIC':
        try:
            from pillow_heif import register_heif_opener
        except ImportError:
            raise ValueError(
                'a HEIC file; pip install "facealign[heif]" to have these read, or save it as JPEG'
            ) from None
        register_heif_opener()
    Image.init()
    if kind == 'AVIF' and 'AVIF' not in Image.OPEN:
        raise ValueError('an AVIF file; pip install "facealign[heif]" to have these read, or save it as JPEG')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of large images: the limit here is our own
            return Image.open(io.BytesIO(data), formats=[{'HEIC': 'HEIF'}.get(kind, kind)])
    except Image.DecompressionBombError as error:
        raise ValueError('more pixels than Pillow opens; scale it down') from error
    except Exception as error:  # Pillow's readers raise many kinds for damaged files
        raise ValueError(f'a damaged {kind} file; copy it again from its source') from error


def _ask_pillow(data: bytes, kind: str) -> tuple[int, int, int]:
    """Width and height as stored, and the orientation that Pillow leaves to its callers."""
    image = open_with_pillow(data, kind)
    try:
        orientation = image.getexif().get(0x0112, 1)
    except Exception:  # a damaged block beside whole pixels
        orientation = 1
    return *image.size, orientation if orientation in range(1, 9) else 1


def stored_to_shown(points: np.ndarray, header: ImageHeader) -> np.ndarray:
    """Points [..., 2] on the stored pixels → on the picture as shown, by the EXIF orientation.

    For annotations drawn by a program that ignores EXIF (MATLAB's ``imread``).
    Orientations as in the EXIF 2.3 standard, tag 0x0112.
    """
    x, y = points[..., 0], points[..., 1]
    right, bottom = header.width - 1, header.height - 1
    shown = {
        1: (x, y),
        2: (right - x, y),
        3: (right - x, bottom - y),
        4: (x, bottom - y),
        5: (y, x),
        6: (right - y, x),
        7: (right - y, bottom - x),
        8: (y, bottom - x),
    }[header.orientation]
    return np.stack(shown, axis=-1)


def _read_bytes(path: str | os.PathLike[str]) -> bytes:
    limit = _BYTES_PER_PIXEL * max_pixels()
    try:
        return read_bytes(path, limit)
    except IsADirectoryError as error:
        raise FaceAlignError(f'{path}: is a folder, not an image') from error
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise FaceAlignError(f'{path}: larger than {limit / 1e6:g} MB; scale it down, or set {_LIMIT}') from error
        name = repr(path) if '\0' in str(path) else path
        raise FaceAlignError(
            f'{name}: cannot be read ({error.strerror}); check the name and your permissions'
        ) from error
