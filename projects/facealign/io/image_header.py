"""Image files without decoding them: size, orientation, and whether they are whole."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facealign.errors import FaceAlignError

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
_EXIF_ORIENTATION = 0x0112
# How each format's last bytes look in a whole file.
_ENDINGS = {'JPEG': b'\xff\xd9', 'PNG': b'IEND\xaeB`\x82'}


@dataclass(frozen=True)
class ImageHeader:
    """What a file's header says.

    Attributes:
        width, height: of the picture as OpenCV, and so MMPose, decodes it:
            turned by its EXIF orientation.
        orientation: the EXIF orientation, 1 to 8; 1 means stored as shown.
    """

    width: int
    height: int
    orientation: int = 1

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height


def read_header(path: str | os.PathLike[str]) -> ImageHeader:
    """Size and orientation of an image, from its first bytes; its end is looked at, not decoded.

    Only a file whose end is odd is decoded, to tell a truncated image from one
    with something appended.

    Raises:
        FaceAlignError: unreadable, not an image, or truncated.
    """
    from PIL import Image  # not with the module: inference needs its names, but no Pillow

    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # large images and odd EXIF are no concern here
            with Image.open(path) as image:
                width, height = image.size
                orientation = image.getexif().get(_EXIF_ORIENTATION, 1)
                if not _ends_well(path, image.format):
                    image.load()
    except PermissionError as error:
        raise FaceAlignError(f'{path}: cannot be read ({error.strerror}); check your permissions') from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if path.is_file() and 'truncated' in str(error):
            raise FaceAlignError(f'{path}: truncated image; copy it again from its source') from error
        raise FaceAlignError(f'{path}: not a readable image; copy it again from its source') from error
    if orientation not in range(1, 9):
        orientation = 1
    if orientation >= 5:
        width, height = height, width
    return ImageHeader(width, height, orientation)


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


def _ends_well(path: Path, image_format: str | None) -> bool:
    if image_format not in _ENDINGS:
        return False
    with open(path, 'rb') as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 64))
        tail = file.read()
    return tail.rstrip(b'\0\r\n ').endswith(_ENDINGS[image_format])
