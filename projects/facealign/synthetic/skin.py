"""The skin of a face: coloured, lit and turned as a surface of many small samples."""

from __future__ import annotations

import cv2
import numpy as np

from .look import Look
from .view import FaceView

_ACROSS, _DOWN = 130, 160
_FINEST = 46.0  # pixels a head unit
TOP = -1.15  # where the drawn forehead ends, head units


class Skin:
    """The lit skin as seen by a camera.

    Attributes:
        picture: ``uint8 [h, w, 3]``, the whole picture at some smaller size,
            filled beyond the face so that it can be cut to any outline.
        light: the brightness of the light alone, ``float32 [h, w]``, about 1.
    """

    def __init__(self, view: FaceView, look: Look, width: int, height: int, rng: np.random.Generator) -> None:
        xyz = _samples(view)
        normal = _normals(xyz) @ view.pose_matrix.T
        light = _brightness(normal, look)
        albedo = _albedo(view, look, xyz[..., 0], xyz[..., 1], rng)
        shine = np.clip((normal * _half(look)).sum(axis=-1), 0.0, 1.0) ** 24 * (1.0 - look.ambient) * 55.0
        colour = np.clip(albedo * _warm(light) + shine[..., None], 0.0, 255.0)
        facing = normal[..., 2] > -0.05
        values = np.concatenate([colour, light[..., None]], axis=-1, dtype=np.float32)[facing]
        pixels, depth = view.project(xyz[facing]), view.camera(xyz[facing])[:, 2]
        # No finer than the samples are dense, or the cheek would shine through the nose.
        small = np.maximum(np.rint(np.array([width, height]) * min(1.0, _FINEST / view.scale)), 1).astype(int)
        self._fine = small / np.array([width, height])
        layers = _splat((pixels + 0.5) * self._fine - 0.5, depth, values, int(small[0]), int(small[1]))
        self.picture = np.clip(np.rint(layers[..., :3]), 0, 255).astype(np.uint8)
        self.light = layers[..., 3]

    def light_at(self, points: np.ndarray) -> np.ndarray:
        """The mean light at pixels ``[n, 2]``: ``[3]``."""
        height, width = self.light.shape
        x, y = np.rint((points + 0.5) * self._fine - 0.5).astype(int).T
        return _warm(self.light[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)].mean())


def lit(normal: np.ndarray, look: Look) -> np.ndarray:
    """Light on surfaces with camera ``normal`` ``[..., 3]``: BGR factors; shadows are warmer than lights."""
    return _warm(_brightness(normal, look))


def _brightness(normal: np.ndarray, look: Look) -> np.ndarray:
    facing = np.clip((normal @ look.light + 0.30) / 1.30, 0.0, 1.0)
    edge = 0.80 + 0.20 * np.sqrt(np.clip(normal[..., 2], 0.0, 1.0))
    return (look.ambient + (1.12 - look.ambient) * facing) * edge


def _warm(light: np.ndarray) -> np.ndarray:
    light = np.asarray(light)[..., None]
    return light * (1.0 + np.array([0.17, 0.05, -0.08]) * (light - 1.0))


def _half(look: Look) -> np.ndarray:
    half = look.light + np.array([0.0, 0.0, 1.0])
    return half / np.linalg.norm(half)


def _samples(view: FaceView) -> np.ndarray:
    """A grid on the face ``[down, across, 3]``, denser where it bends away."""
    shape = view.shape
    u = np.linspace(-1.0, 1.0, _ACROSS)
    u = 0.65 * u + 0.35 * np.sin(np.pi / 2 * u)
    y = np.concatenate([np.linspace(TOP, 0.0, 62, endpoint=False), shape.chin_y * np.linspace(0, 1, _DOWN - 62) ** 0.9])
    grid = np.repeat(y[:, None], _ACROSS, axis=1)
    return shape.on_skin(u[None, :] * shape.half_width(grid), grid)


def _normals(xyz: np.ndarray) -> np.ndarray:
    normal = np.cross(np.gradient(xyz, axis=1), np.gradient(xyz, axis=0))
    normal = cv2.GaussianBlur(normal, (0, 0), 1.2)
    return normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)


def _albedo(view: FaceView, look: Look, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Skin colour before light: blush, lids, creases, freckles, beard."""
    shape, side = view.shape, np.abs(x)

    def spot(cx: float, cy: float, sx: float, sy: float, of: np.ndarray = side) -> np.ndarray:
        return np.exp(-(((of - cx) / sx) ** 2) - ((y - cy) / sy) ** 2)[..., None]

    colour = np.broadcast_to(look.skin, (*x.shape, 3)).copy()
    red = look.skin * np.array([0.74, 0.74, 1.02])
    blush = (0.35 + 0.45 * look.makeup) * spot(0.55, 0.45, 0.26, 0.22) + 0.35 * spot(0.0, shape.nose_tip_y, 0.16, 0.12)
    colour += np.clip(blush, 0, 1) * (red - colour)
    crease = 0.16 * spot(shape.eye_x - 0.20, 0.0, 0.12, 0.10) + 0.10 * spot(shape.eye_x, 0.15, 0.18, 0.06)
    crease += 0.22 * spot(0.25 * shape.identity.nose_width, shape.nose_tip_y + 0.09, 0.045, 0.09)
    crease += 0.20 * spot(0.0, shape.nose_base_y + 0.06, 0.16, 0.05) + 0.10 * spot(
        0.0, shape.mouth_y - 0.17, 0.035, 0.07
    )
    crease += 0.16 * spot(0.0, shape.mouth_y + shape.gap + 0.21, 0.22, 0.045)
    colour *= 1.0 - np.clip(crease, 0, 1) * np.array([1.0, 0.95, 0.75])
    lids = 0.55 * look.makeup * spot(shape.eye_x, -0.10, 0.20, 0.07)
    colour += lids * (look.skin * np.array([0.62, 0.48, 0.58]) - colour)
    if look.freckles:
        dots = cv2.GaussianBlur((rng.random(x.shape) > 0.985).astype(np.float32), (0, 0), 0.7)[..., None]
        colour *= 1.0 - np.clip(1.2 * look.freckles * dots * spot(0.30, 0.32, 0.45, 0.22), 0, 0.4)
    if look.beard != 'none':
        cover = _beard(view, look, x, y)
        grain = cv2.GaussianBlur(rng.random(x.shape).astype(np.float32), (0, 0), 0.8) - 0.5
        cover = np.clip(cover * (1.0 + 0.9 * grain), 0.0, 1.0)[..., None]
        colour += cover * (look.hair * 0.9 - colour)
    return colour


def _beard(view: FaceView, look: Look, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How much of the skin the beard covers, 0–1."""
    shape = view.shape

    def step(value: np.ndarray, soft: float) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-np.clip(value / soft, -30, 30)))

    across = np.clip(x / (1.12 * shape.mouth_half), -1.0, 1.0)
    lip = np.interp(x, *shape.lip(True, False, np.linspace(0.0, 1.0, 41))[:, :2].T)
    droop = 0.10 * across**4  # the ends hang beside the corners
    thick = 0.17 * shape.identity.mouth_height * (1.0 - across**2) ** 0.6
    moustache = step(y - (lip - 0.01 - thick + droop), 0.015) * step(lip + 0.02 + droop - y, 0.012)
    moustache *= step(shape.mouth_half * 1.1 - np.abs(x), 0.02) * (1.0 - 0.5 * np.exp(-((x / 0.03) ** 2)))
    if look.beard == 'moustache':
        return 0.95 * moustache
    cheek = np.abs(x) / np.maximum(shape.half_width(y), 0.05)
    edge = shape.mouth_y + 0.05 - 0.75 * np.clip(cheek - 0.52, 0.0, None) ** 0.8
    jaw = step(y - edge, 0.035) * step(
        np.abs(x) - 0.25 + np.clip(y - shape.mouth_y - shape.gap - 0.22, 0, None) * 5, 0.03
    )
    strength = 0.92 if look.beard == 'full' else 0.30
    return strength * np.maximum(jaw, moustache)


def _splat(pixels: np.ndarray, depth: np.ndarray, values: np.ndarray, width: int, height: int) -> np.ndarray:
    """Samples to a picture ``float32 [height, width, c]``: the nearest wins, holes and surroundings are filled."""
    x, y = np.rint(pixels).astype(int).T
    order = np.argsort(depth, kind='stable')  # far first: later writes win
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    order = order[inside[order]]
    channels = values.shape[-1]
    picture = np.zeros((height, width, channels + 1), np.float32)
    values = np.concatenate([values, np.ones((len(values), 1), np.float32)], axis=1)
    picture.reshape(-1, channels + 1)[(y * width + x)[order]] = values[order]
    near = cv2.GaussianBlur(picture, (5, 5), 0.9)
    far = cv2.resize(
        cv2.blur(picture, (3, 3)), (max(width // 4, 1), max(height // 4, 1)), interpolation=cv2.INTER_NEAREST
    )
    far = cv2.blur(far, (5, 5))
    filled = np.broadcast_to(values[:, :channels].mean(axis=0), (*far.shape[:2], channels))
    filled = _filled(_filled(filled, cv2.blur(far, (11, 11)), 0.02), far, 0.02)
    return _filled(cv2.resize(filled, (width, height)), near, 0.12)


def _filled(ground: np.ndarray, samples: np.ndarray, enough: float) -> np.ndarray:
    """``samples`` (last channel their weight) over ``ground``, where their weight is ``enough``."""
    weight = samples[..., -1:]
    share = np.clip(weight / enough - 1.0, 0.0, 1.0)
    return ground + share * (samples[..., :-1] / np.maximum(weight, 1e-6) - ground)
