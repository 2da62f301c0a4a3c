"""What people hand to FaceAligner from Python: pictures and boxes of every type, and what is neither."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from facealign.fuzz import seeds

_DTYPES = ('uint8', 'uint8', 'uint16', 'int32', 'int64', 'float32', 'float64', 'bool', 'complex64', 'object', 'U3')
_NUMBERS = (0, -1, 1, 5, 30, 63, 64, 1e3, -1e6, 1e30, 1e300, float('nan'), float('inf'), 2**70)


def draw_call(data: bytes) -> tuple[Any, Any, Any]:
    """Images, boxes and color of a call, drawn with ``data`` as the seed."""
    rng = Random(data)
    many = rng.random() < 0.3
    images = [_image(rng) for _ in range(rng.randrange(4))] if many else _image(rng)
    if rng.random() < 0.3:
        boxes = None
    elif many and rng.random() < 0.8:
        boxes = [_boxes(rng) if rng.random() < 0.8 else None for _ in range(len(images))]
    else:
        boxes = _boxes(rng)
    return images, boxes, rng.choice((None, None, 'bgr', 'rgb', 'RGB', '', 3, b'rgb'))


def _image(rng: Random) -> Any:
    kinds: list[Callable[[Random], Any]] = [_array, _array, _whole, _whole, _pil, _other]
    if importlib.util.find_spec('torch'):
        kinds.append(_tensor)
    return rng.choice(kinds)(rng)


def _whole(rng: Random) -> np.ndarray:
    """A good picture, as arrays come: contiguous or not, read-only, grey, with alpha."""
    image = seeds.picture()
    return rng.choice(
        (
            image,
            image[::-1, ::-1],
            image[..., ::-1],
            np.asfortranarray(image),
            image[..., 0],
            image[..., :1],
            np.dstack([image, image[..., 0]]),
            image.astype(np.uint16) * 257,
            image[5:40, 10:60],
            np.broadcast_to(image[:1, :1], image.shape),
        )
    )


def _array(rng: Random) -> Any:
    shape = tuple(rng.choice((0, 1, 2, 3, 4, 5, 16, 40, 64)) for _ in range(rng.choice((0, 1, 2, 3, 3, 3, 4, 5))))
    if rng.random() < 0.1:  # much larger than memory, at no cost
        return np.broadcast_to(np.uint8(7), (rng.choice((10**5, 10**9)), rng.choice((1, 10**5)), 3))
    dtype = rng.choice(_DTYPES)
    array = np.zeros(shape, dtype)
    if dtype not in ('U3', 'object'):
        array = array + np.dtype(dtype).type(1)
    if dtype.startswith('float') and array.size:
        array.flat[0] = rng.choice(_NUMBERS[:13])
    return array if rng.random() < 0.9 else np.ma.masked_array(array)


def _pil(rng: Random) -> Any:
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(seeds.picture()[..., ::-1]))
    mode = rng.choice(('RGB', 'RGB', 'L', 'RGBA', 'P', '1', 'CMYK', 'YCbCr', 'LAB', 'HSV', 'I', 'F', 'LA', 'I;16'))
    image = image.convert('L').convert(mode) if mode in ('LAB', 'I;16', 'LA', 'I', 'F') else image.convert(mode)
    if rng.random() < 0.2:
        image = image.resize((rng.choice((1, 2, 300)), rng.choice((1, 5, 200))))
    if rng.random() < 0.2:
        image.getexif()[0x0112] = rng.choice((0, 1, 3, 6, 8, 9, 'x'))
    return image


def _tensor(rng: Random) -> Any:
    import torch

    image = torch.from_numpy(np.ascontiguousarray(seeds.picture()))
    return rng.choice(
        (
            lambda: image,
            lambda: image.permute(2, 0, 1),
            lambda: image.permute(2, 0, 1).float() / 255,
            lambda: image.permute(2, 0, 1).half() / 255,
            lambda: image.permute(2, 0, 1).bfloat16() / 255,
            lambda: image.float(),
            lambda: image[None],
            lambda: image.to(torch.int64),
            lambda: image.bool(),
            lambda: image.permute(2, 0, 1).float() * float('nan'),
            lambda: (image.float() / 255).requires_grad_(),
            lambda: torch.zeros(0, 3, 3),
            lambda: torch.zeros(3, 40, 40).to_sparse(),
            lambda: torch.zeros(3, 40, 40, device='meta'),
            lambda: torch.zeros(3, 40, 40, dtype=torch.complex64),
            lambda: torch.zeros(()),
        )
    )()


def _other(rng: Random) -> Any:
    return rng.choice(
        (
            *(None, True, 0, 1.5, '', 'missing.jpg', 'a\0b', '\ud800', b'', b'\xff\xd8\xff', bytearray(9), Path('.')),
            *(Path('missing.png'), '/dev/zero', '/dev/null', [], {}, {'a': 1}, set(), object(), int, range(3), [[]]),
            *([1, 2, 3], [None], ['missing.jpg', None], [[[1, 2, 3]]], 'http://x/y.jpg', 10**400, memoryview(b'abc')),
            *((i for i in (None,)), np.uint8(3), np.array('x'), np.datetime64('2020'), slice(3)),
        )
    )


def _boxes(rng: Random) -> Any:
    good = [5, 6, 50, 60]
    kind = rng.randrange(9)
    if kind == 0:
        return rng.choice((None, [], good, [good], (tuple(good),), np.array([good]), np.array([[*good, 0.9]])))
    if kind == 1:
        return np.array([good] * rng.randrange(70), dtype=rng.choice(('float32', 'int16', 'float16', 'uint8')))
    if kind == 2:
        widths = [rng.choice((0, 3, 4, 4, 4, 5, 6)) for _ in range(rng.randrange(4))]
        return [[rng.choice(_NUMBERS) for _ in range(width)] for width in widths]
    if kind == 3:
        return rng.choice(('', 'boxes.csv', b'x', True, 3, 1.5, object(), {}, {'a': good}, {1}, int, range(4)))
    if kind == 4:
        return [good, good[:3]] if rng.random() < 0.5 else [good, None]
    if kind == 5:
        return np.zeros(tuple(rng.choice((0, 1, 4, 5)) for _ in range(rng.randrange(5))), rng.choice(_DTYPES))
    if kind == 6 and importlib.util.find_spec('dlib'):
        import dlib

        corners = [rng.choice((0, 5, 60, -9, 10**6, 2**62)) for _ in range(4)]
        rectangle = dlib.rectangle(*corners)
        return rng.choice((rectangle, [rectangle], dlib.rectangles(), dlib.drectangle(*map(float, corners))))
    if kind == 7 and importlib.util.find_spec('torch'):
        import torch

        some = torch.tensor([good])
        return rng.choice((some, some[0].float(), torch.zeros(0, 4), torch.zeros(2, 4).half(), some.to_sparse()))
    return [[str(number) for number in good], good]
