"""Pictures in: image files, arrays, PIL images and tensors → the one kind the rest works on, BGR uint8.

The one place that decodes images, for every command. The orientation is applied here, not by the decoder: OpenCV 4 and
5 do not agree on which formats have one.
"""

from __future__ import annotations

import os
from typing import Any

import cv2
import numpy as np

from facealign.errors import FaceAlignError
from facealign.io.image_header import (
    IMAGE_SUFFIXES,
    UNREAD_SUFFIXES,
    ImageHeader,
    check_pixels,
    inspect,
    open_with_pillow,
    read_image_file,
)

__all__ = ['IMAGE_SUFFIXES', 'UNREAD_SUFFIXES', 'as_bgr', 'decode_image', 'is_picture', 'read_image']

# No detector finds a face in fewer pixels; the scaling steps would also end at size 0.
MIN_SIDE = 12
COLORS = ('bgr', 'rgb')
_DAMAGED = 'a damaged image; copy it again from its source'


def read_image(path: str | os.PathLike[str], min_side: int = MIN_SIDE) -> np.ndarray:
    """A BGR image [H, W, 3] uint8, turned by its orientation.

    Grey images become three equal channels, alpha is dropped, 16 bits become 8,
    of several pictures in a file the first is taken.

    Args:
        path: of a JPEG, PNG, WebP, TIFF, BMP, GIF or PNM file; of an AVIF or
            HEIC file where Pillow and pillow-heif read them.
        min_side: smaller pictures are refused.

    Raises:
        FaceAlignError: missing, not a regular file, not an image, of a kind
            that is not read, truncated, too small or too large.
    """
    data, header = read_image_file(path)
    try:
        return _decode(data, header, min_side)
    except ValueError as error:
        raise FaceAlignError(f'{path}: {error}') from error


def decode_image(data: bytes, min_side: int = MIN_SIDE) -> np.ndarray:
    """The bytes of an image file → BGR [H, W, 3] uint8, as :func:`read_image`.

    Raises:
        ValueError: what is wrong with them.
    """
    return _decode(data, inspect(data), min_side)


def _decode(data: bytes, header: ImageHeader, min_side: int) -> np.ndarray:
    _check_side(header.width, header.height, min_side)
    image = _with_pillow(data, header.kind) if header.kind in _OF_PILLOW else _with_opencv(data, header)
    shown = turned(image, header.orientation)
    if shown.shape[1::-1] != header.size:
        raise ValueError(f'a damaged image: it says {header.width}×{header.height} and holds another size')
    return shown


_OF_PILLOW = ('GIF', 'AVIF', 'HEIC')


def _with_opencv(data: bytes, header: ImageHeader) -> np.ndarray:
    """The stored pixels [H, W, 3] uint8, not turned."""
    if header.kind == 'PNM':
        data += b'\n'  # the last number of one in text may end with the file
    pixels = np.frombuffer(data, dtype=np.uint8)
    if header.orientation != 1 and header.orientation_at:
        pixels = pixels.copy()
        pixels[header.orientation_at : header.orientation_at + 2] = (1, 0) if data[:2] == b'II' else (0, 1)
    try:
        image = cv2.imdecode(pixels, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        image = None
    if image is None:
        raise ValueError(_DAMAGED)
    return image


def _with_pillow(data: bytes, kind: str) -> np.ndarray:
    """The stored pixels [H, W, 3] uint8, not turned."""
    with open_with_pillow(data, kind) as picture:
        width, height = picture.size
        check_pixels(width, height, kind)  # of a GIF: a picture may be larger than its header says
        try:
            picture.load()
            if picture.mode != 'P':
                return np.ascontiguousarray(np.asarray(picture.convert('RGB'))[..., ::-1])
            palette = bytes(picture.getpalette('RGB') or ()).ljust(3 * 256, b'\0')
            indices = np.asarray(picture)
        except Exception as error:  # Pillow's readers raise many kinds for damaged files
            raise ValueError(_DAMAGED) from error
    # Pillow's own conversion takes four times the memory.
    return np.ascontiguousarray(np.frombuffer(palette, np.uint8).reshape(-1, 3)[:, ::-1])[indices]


def turned(image: np.ndarray, orientation: int) -> np.ndarray:
    """Stored pixels [H, W, ...] → as shown, by the EXIF orientation 1 to 8."""
    if orientation in (5, 6, 7, 8):
        image = cv2.transpose(image)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return image if flip is None else cv2.flip(image, flip)


def is_picture(value: object) -> bool:
    """Whether ``value`` is one picture for :func:`as_bgr`: an array, a PIL image or a torch tensor."""
    return isinstance(value, np.ndarray) or _is_pil(value) or _is_tensor(value)


def as_bgr(image: Any, color: str | None = None) -> np.ndarray:
    """Any picture in memory → BGR [H, W, 3] uint8.

    Args:
        image: an array [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] (alpha last,
            ignored), uint8 or uint16 of the full 16-bit range; a PIL image,
            which is turned by its orientation as its file is; or a torch tensor
            [C, H, W] or [H, W, C], floats of 0 to 1 or uint8.
        color: ``bgr`` or ``rgb``. Left out, arrays are BGR, as OpenCV has them,
            and tensors RGB, as torchvision has them.

    Raises:
        FaceAlignError: another shape or type, too small or too large, or no such colour order.
    """
    if color is not None and color not in COLORS:
        raise FaceAlignError(f'image: color={color!r}; give color="bgr" (OpenCV) or color="rgb"')
    if _is_pil(image):
        return _from_pil(image)
    if _is_tensor(image):
        image, color = _from_tensor(image), color or 'rgb'
    if not isinstance(image, np.ndarray):
        raise FaceAlignError(_refusal(image))
    return _from_array(image, color or 'bgr')


def _from_array(image: np.ndarray, color: str) -> np.ndarray:
    image = np.asarray(image)  # a matrix or a masked array has rules of its own
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)  # as OpenCV reads 16-bit files
    if image.dtype != np.uint8:
        raise FaceAlignError(f'image array: is {image.dtype}; uint8 or uint16 is wanted (multiply a 0-1 image by 255)')
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.ndim not in (2, 3) or image.ndim == 3 and image.shape[2] not in (3, 4):
        remedy = '; give a batch as a list of images' if image.ndim == 4 else ''
        raise FaceAlignError(f'image array: has shape {image.shape}; [H, W], [H, W, 3] or [H, W, 4] is wanted{remedy}')
    try:
        check_pixels(image.shape[1], image.shape[0])
        _check_side(image.shape[1], image.shape[0], MIN_SIDE)
    except ValueError as error:
        raise FaceAlignError(f'image array: {error}') from error
    if image.ndim == 2:
        return np.repeat(image[..., None], 3, axis=2)
    image = image[..., :3]
    return np.ascontiguousarray(image if color == 'bgr' else image[..., ::-1])


def _from_pil(image: Any) -> np.ndarray:
    try:
        check_pixels(*image.size)
        orientation = image.getexif().get(0x0112, 1)
        if image.mode.startswith('I;16'):
            pixels = _from_array(np.asarray(image).astype(np.uint16), 'bgr')
        else:
            pixels = _from_array(np.asarray(image.convert('RGB')), 'rgb')
    except FaceAlignError:
        raise
    except Exception as error:  # its file is read only now, and may be gone or damaged
        raise FaceAlignError(f'PIL image: cannot be read ({error}); load it anew') from error
    return turned(pixels, orientation)


def _from_tensor(tensor: Any) -> np.ndarray:
    """A torch tensor → an array [H, W, ...] uint8, channels in its own order."""
    if tensor.is_sparse or tensor.is_quantized or tensor.is_meta or tensor.is_complex():
        raise FaceAlignError('image tensor: is sparse, quantized, complex or without values; give a plain one')
    tensor = tensor.detach().cpu()
    if tensor.ndim not in (2, 3):
        remedy = '; give a batch as list(tensor)' if tensor.ndim == 4 else ''
        raise FaceAlignError(f'image tensor: has shape {list(tensor.shape)}; [C, H, W] or [H, W, C] is wanted{remedy}')
    if tensor.ndim == 3 and tensor.shape[0] in (1, 3, 4):
        tensor = tensor.permute(1, 2, 0)
    if tensor.is_floating_point():
        pixels = tensor.float().numpy()
        if pixels.size and not (pixels.min() >= 0 and pixels.max() <= 1):
            raise FaceAlignError('image tensor: its numbers are not from 0 to 1; divide those of 0 to 255 by 255')
        return np.rint(pixels * 255).astype(np.uint8)
    return tensor.numpy()


def _refusal(value: object) -> str:
    """What to say of something that is no picture."""
    if value is None:
        return 'image: is None, which cv2.imread gives for a file that it cannot read; check the path'
    if isinstance(value, bytes | bytearray | memoryview):
        return 'image: is bytes; give the path of its file, or an array decoded from them'
    return f'image: is {type(value).__name__}; a path, an array, a PIL image or a torch tensor is wanted'


def _is_pil(value: object) -> bool:
    """Whether ``value`` is a PIL image; Pillow need not be there."""
    return any(cls.__name__ == 'Image' and cls.__module__ == 'PIL.Image' for cls in type(value).__mro__)


def _is_tensor(value: object) -> bool:
    """Whether ``value`` is a torch tensor; torch need not be there."""
    return any(cls.__name__ == 'Tensor' and cls.__module__.partition('.')[0] == 'torch' for cls in type(value).__mro__)


def _check_side(width: int, height: int, min_side: int) -> None:
    if min(width, height) < min_side:
        raise ValueError(f'only {width}×{height} pixels, too small to hold a face')
