"""The head around the face: skull, hair, ears, neck, shoulders and hats."""

from __future__ import annotations

import cv2
import numpy as np

from .canvas import Canvas, soften
from .look import Look
from .shape import LEFT, RIGHT
from .skin import lit
from .view import FaceView

_SKULL_CENTRE = np.array([0.0, -0.20, -0.80])
_SKULL_RADII = np.array([1.06, 1.12, 1.10])
_VOLUME = {'short': 1.07, 'parted': 1.10, 'fringe': 1.12, 'long': 1.13, 'curly': 1.24, 'buzz': 1.01}


def _temple(look: Look) -> float:
    """Height at which the hair meets the side of the face, head units."""
    return {'long': 0.34, 'curly': 0.05}.get(look.hair_style, -0.05)


def _sphere() -> np.ndarray:
    k = np.arange(260) + 0.5
    polar, turn = np.arccos(1 - 2 * k / 260), np.pi * (1 + 5**0.5) * k
    return np.stack([np.cos(turn) * np.sin(polar), np.cos(polar), np.sin(turn) * np.sin(polar)], axis=-1)


_DIRECTIONS = _sphere()


def skull(view: FaceView, volume: float) -> np.ndarray:
    """Outline of the hair's outer surface, pixels ``[n, 2]``."""
    points = view.project(_SKULL_CENTRE + volume * _SKULL_RADII * _DIRECTIONS)
    return cv2.convexHull(points.astype(np.float32))[:, 0].astype(float)


def face_outline(view: FaceView, look: Look, rng: np.random.Generator) -> np.ndarray:
    """The visible face: the contour of the points below, the hair's edge above; pixels ``[n, 2]``."""
    jaw = view.contour(129)
    temple = _temple(look)
    rows = np.linspace(min(temple, 0.0), 0.0, 8)[:-1] if temple < 0 else np.zeros(0)
    line = _hairline(view, look, rng)
    if temple > 0:  # hair hangs over the upper contour
        hidden = [view.outline(side, np.array([temple]))[0] for side in (LEFT, RIGHT)]
        start = int(np.linalg.norm(jaw[:65] - hidden[0], axis=1).argmin())
        stop = 64 + int(np.linalg.norm(jaw[64:] - hidden[1], axis=1).argmin())
        jaw = jaw[start : stop + 1]
        return np.concatenate([jaw, line[::-1]])
    left, right = view.outline(LEFT, rows), view.outline(RIGHT, rows)
    return np.concatenate([left, jaw, right[::-1], line[::-1]])


def nose_outline(view: FaceView) -> np.ndarray:
    """The nose's outline, pixels ``[n, 2]``; in a strongly turned face it reaches over the cheek's edge."""
    shape = view.shape
    x, y = np.meshgrid(np.linspace(-0.22, 0.22, 23), np.linspace(0.0, shape.nose_base_y, 24))
    high = shape.nose_relief(x, y) > 0.06
    points = view.project(shape.on_skin(x[high], y[high]))
    return cv2.convexHull(points.astype(np.float32))[:, 0].astype(float)


def _hairline(view: FaceView, look: Look, rng: np.random.Generator) -> np.ndarray:
    """The hair's edge from the left temple over the forehead to the right, pixels."""
    u = np.linspace(-1.0, 1.0, 61)
    temple = _temple(look)
    style = look.hair_style
    if style == 'long':
        bend = np.abs(u - 0.5 * look.part) / (1.0 + 0.5 * np.sign(u - 0.5 * look.part) * -look.part)
        y = look.hairline + (temple - look.hairline) * np.clip(bend, 0, 1) ** 3.0
    elif style == 'parted':
        y = look.hairline + (temple - look.hairline) * np.abs(u) ** 3.5
        y += 0.16 * np.exp(-(((u - look.part) / 0.5) ** 2)) * (1 - u**2) + 0.10 * np.sign(look.part) * u * (1 - u**2)
    else:
        y = look.hairline + (temple - look.hairline) * np.abs(u) ** 4.0
    jag = {'fringe': 0.07, 'curly': 0.05, 'short': 0.035}.get(style, 0.015)
    phase = rng.uniform(0, 2 * np.pi, 3)
    waves = sum(np.abs(np.sin(k * u + p)) for k, p in zip((9.0, 14.0, 23.0), phase))
    y = y + jag * (waves - 1.9) * (1 - u**8)
    x_side = np.where(u < 0, LEFT, RIGHT)
    points = np.zeros((len(u), 2))
    for side in (LEFT, RIGHT):
        here = x_side == side
        points[here] = view.across(side, y[here], np.abs(u[here]))
    return points


def draw_behind(canvas: Canvas, view: FaceView, look: Look) -> None:
    """Long hair behind the neck, neck and shoulders."""
    unit, rise = view.scale, np.deg2rad(view.pose.roll) * 0.45
    down = unit * np.array([-np.sin(rise), np.cos(rise)])
    side = np.array([down[1], -down[0]])
    top = view.project(np.array([0.0, 0.45 * view.shape.chin_y, -0.75]))  # well behind the head
    light = lit(np.array([0.0, 0.15, 0.95]), look)
    if look.hair_style in ('long', 'curly'):
        outer = skull(view, _VOLUME[look.hair_style])
        length = 1.55 if look.hair_style == 'long' else 0.35
        drop = outer.mean(axis=0) + 0.92 * (outer - outer.mean(axis=0)) + length * down
        mass = cv2.convexHull(np.concatenate([outer, drop]).astype(np.float32))[:, 0].astype(float)
        canvas.polygon(mass, look.hair * light * 0.62)
    foot = top + (0.4 * view.shape.chin_y + 1.25) * down
    t = np.linspace(0.0, 1.0, 16)[:, None]
    flare = 0.45 + 0.06 * t + 0.55 * t**7
    neck = np.concatenate([top + t * (foot - top) - flare * side, (top + t * (foot - top) + flare * side)[::-1]])
    canvas.polygon(neck, look.skin * light * (0.80, 0.80, 0.86))
    shadow = canvas.mask(view.contour(33) + 0.16 * down)
    cut = cv2.bitwise_and(soften(shadow, 0.05 * unit), canvas.mask(neck))
    canvas.shade(cut, look.skin * light * (0.36, 0.38, 0.46), 0.75)
    s = np.linspace(-1.0, 1.0, 61)[:, None]
    collar = np.exp(-((s / 0.17) ** 2))
    yoke = foot + 2.5 * s * side + (0.55 * np.abs(s) ** 1.5 + 1.6 * np.abs(s) ** 12 - 0.26 + 0.24 * collar) * down
    body = np.concatenate([yoke, yoke[::-1][[0, -1]] + 6 * down])
    canvas.polygon(body, look.cloth * light)
    canvas.line(yoke[20:41], look.cloth * light * 0.62, 0.05 * unit, 0.8)


def draw_head(canvas: Canvas, view: FaceView, look: Look, rng: np.random.Generator) -> None:
    """The skull's hair and the ears, all of it behind the face."""
    volume = _VOLUME[look.hair_style]
    outer = skull(view, volume)
    ears_on_top = look.hair_style not in ('long', 'curly')
    hair_light = lit(np.array([0.0, -0.2, 0.95]), look)
    canvas.polygon(outer, look.hair * hair_light * (0.80 if look.hair_style != 'buzz' else 1.0))
    if look.hair_style == 'curly':
        for point in outer[:: max(len(outer) // 26, 1)]:
            canvas.disc(point, view.scale * rng.uniform(0.10, 0.17), look.hair * hair_light * rng.uniform(0.6, 0.9))
    if look.hair_style != 'buzz':
        _strands(canvas, view, look, volume, rng)
    if ears_on_top:
        for side in (LEFT, RIGHT):
            _ear(canvas, view, look, side)


def _strands(canvas: Canvas, view: FaceView, look: Look, volume: float, rng: np.random.Generator) -> None:
    t = np.linspace(0.02, 1.0, 14)
    crown = np.array([0.35 * look.part, -1.0, 0.1])
    for _ in range(46):
        turn = rng.uniform(0.0, 2.0 * np.pi)
        goal = np.array([np.cos(turn), rng.uniform(0.1, 0.6), np.sin(turn)])
        way = crown + t[:, None] ** 1.1 * (goal - crown)
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        seen = view.camera(way)
        way = way[seen[:, 2] > 0.0]
        if len(way) < 3:
            continue
        middle = view.camera(way[len(way) // 2])
        tone = look.hair * lit(middle, look) * rng.uniform(0.75, 1.2) + 26 * max(float(middle @ look.light), 0.0) ** 6
        path = view.project(_SKULL_CENTRE + 0.985 * volume * _SKULL_RADII * way)
        if look.hair_style == 'curly':
            path = path + view.scale * 0.035 * np.sin(np.arange(len(path))[:, None] * 2.1 + rng.uniform(0, 6, (1, 2)))
        canvas.line(path, tone, view.scale * rng.uniform(0.02, 0.07), 0.55)


def _ear(canvas: Canvas, view: FaceView, look: Look, side: int) -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 28, endpoint=False)
    wide = view.shape.identity.width

    def ring(size: float) -> np.ndarray:
        lobe = 1.0 - 0.22 * np.clip(np.sin(angle), 0, 1)
        out = 0.13 * size * np.cos(angle) * lobe
        y = 0.16 + 0.30 * size * np.sin(angle) - 0.04 * np.cos(angle)
        return view.project(np.stack([side * (wide + 0.05 + out), y, -0.86 - 0.9 * (out + 0.05)], axis=-1))

    light = lit(view.camera(np.array([0.75 * side, 0.0, 0.65])), look)
    canvas.polygon(ring(1.0), look.skin * light * (0.86, 0.86, 0.96))
    canvas.polygon(ring(0.62), look.skin * light * (0.62, 0.62, 0.76), 0.6)
    canvas.line(ring(1.0), look.skin * light * 0.5, 0.012 * view.scale, 0.5, closed=True)


def draw_hat(canvas: Canvas, view: FaceView, look: Look) -> None:
    """A knitted hat or a hair band over the forehead."""
    if look.hat == 'none':
        return
    light = lit(np.array([0.0, -0.3, 0.9]), look)
    u = np.linspace(-1.0, 1.0, 31)
    rows = {name: -0.62 - lift + 0.30 * np.abs(u) ** 3 for name, lift in (('low', 0.0), ('high', 0.24))}
    edges = {}
    for name, y in rows.items():
        share = np.abs(u)
        left = view.across(LEFT, y[u < 0], share[u < 0])
        right = view.across(RIGHT, y[u >= 0], share[u >= 0])
        edges[name] = np.concatenate([left, right])
        edges[name] += 0.05 * (edges[name] - edges[name].mean(axis=0)) * np.abs(u)[:, None] ** 4
    if look.hat == 'beanie':
        dome = skull(view, 1.16)
        up = view.project(np.array([0.0, -1.0, -0.5])) - view.project(np.array([0.0, 0.0, -0.5]))
        axis = up / np.linalg.norm(up)
        line = edges['low'].mean(axis=0)
        above = dome[((dome - line) @ axis) > -0.05 * view.scale]
        cap = cv2.convexHull(np.concatenate([above, edges['low']]).astype(np.float32))[:, 0].astype(float)
        canvas.polygon(cap, look.accent * light * 0.92)
        for share in np.linspace(0.1, 0.9, 9):
            at = edges['low'][int(share * 30)]
            rib = np.stack([at, 0.25 * at + 0.75 * (line + 1.1 * view.scale * axis)])
            canvas.line(rib, look.accent * light * 0.72, 0.03 * view.scale, 0.6)
    band = np.concatenate([edges['low'], edges['high'][::-1]])
    canvas.polygon(band, np.clip(look.accent * light * 1.12 + 8, 0, 255))
    canvas.line(edges['low'], look.accent * light * 0.5, 0.02 * view.scale, 0.7)
