"""Things in front of a face: glasses, hands, bars, cups."""

from __future__ import annotations

import cv2
import numpy as np

from .canvas import Canvas, soften
from .look import Look
from .shape import LEFT, RIGHT
from .skin import lit
from .view import FaceView


def draw_glasses(canvas: Canvas, view: FaceView, look: Look, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw the glasses, if any; returns the outlines that cannot be looked through."""
    if look.glasses == 'none':
        return []
    shape, unit = view.shape, view.scale
    angle = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False)
    square = rng.uniform(0.55, 1.0)
    tall, wide = rng.uniform(0.19, 0.26), rng.uniform(0.27, 0.32)
    front = float(shape.depth(shape.eye_x, 0.0)) + 0.20
    rim = np.array([30, 28, 28]) if rng.random() < 0.6 else look.accent * 0.7
    thick = unit * rng.uniform(0.02, 0.05)
    c, s = np.cos(angle), np.sin(angle)
    lens = np.stack([wide * np.sign(c) * np.abs(c) ** square, 0.05 + tall * np.sign(s) * np.abs(s) ** square], axis=-1)
    opaque = []
    for side in (LEFT, RIGHT):
        hinge = np.array(
            [[side * (shape.eye_x + wide), -0.02, front], [side * 1.03 * shape.identity.width, 0.0, -0.75]]
        )
        if side * view.pose.yaw < 12:  # the other arm is hidden by the head
            canvas.line(view.project(hinge), rim * 0.8, thick)
        bent = front - 0.10 * (np.abs(lens[:, 0] + shape.eye_x) / 0.7) ** 2
        outline = view.project(np.stack([side * (shape.eye_x + lens[:, 0]), lens[:, 1], bent], axis=-1))
        if look.glasses == 'sun':
            canvas.polygon(outline, rim * 0.4 + 10, 0.93)
            opaque.append(outline)
        else:
            canvas.polygon(outline, (240, 240, 240), 0.10)
        streak = outline[[22, 25, 33, 30]] * 0.8 + outline.mean(axis=0) * 0.2
        canvas.polygon(streak, (255, 255, 255), 0.14)
        canvas.line(outline, rim, thick, closed=True)
    x = np.linspace(-1.0, 1.0, 9)
    gap = max(shape.eye_x - wide, 0.04)
    bridge = np.stack([x * gap, -0.02 - 0.03 * (1 - x**2), np.full(9, front + 0.03)], axis=-1)
    canvas.line(view.project(bridge), rim, thick)
    return opaque


def draw_occluder(
    canvas: Canvas, view: FaceView, look: Look, rng: np.random.Generator, share: float
) -> list[np.ndarray]:
    """In a ``share`` of pictures a hand, a bar or a cup before the face; returns the outlines it covers."""
    if rng.random() >= share:
        return []
    kind = str(rng.choice(['hand', 'bar', 'cup'], p=[0.42, 0.33, 0.25]))
    contour = view.contour(33)
    middle = view.project(np.array([0.0, 0.5, 0.3]))
    if kind == 'hand':
        return _hand(canvas, view, look, contour, middle, rng)
    if kind == 'bar':
        return _bar(canvas, view, middle, rng)
    return _cup(canvas, view, middle, rng)


def _hand(
    canvas: Canvas, view: FaceView, look: Look, contour: np.ndarray, middle: np.ndarray, rng: np.random.Generator
) -> list[np.ndarray]:
    """Four fingers that come from outside the jaw and end on the face."""
    unit = view.scale
    root = contour[int(rng.choice([3, 6, 9, 23, 26, 29]))]
    inward = (middle - root) / np.linalg.norm(middle - root)
    across = np.array([-inward[1], inward[0]])
    light = lit(np.array([0.0, 0.1, 0.98]), look)
    skin, line = look.skin * light * (0.93, 0.93, 0.97), look.skin * light * 0.5
    reach, wide = rng.uniform(0.15, 0.65), 0.19 * unit
    shadow = Canvas(canvas.width, canvas.height)
    outlines = []
    for k in range(4):
        start = root + across * (k - 1.5) * wide * 0.98 - inward * 0.9 * unit
        length = (0.9 + reach - 0.10 * abs(k - 1.3)) * unit
        outlines.append(_capsule(start, start + inward * length + across * (k - 1.5) * 0.03 * unit, wide * 0.5))
    palm = root - inward * 1.15 * unit
    for outline in outlines:
        shadow.polygon(outline + 0.05 * unit, (255, 255, 255))
    canvas.shade(soften(shadow.pixels[..., 0].copy(), 0.05 * unit), (20, 18, 26), 0.35)
    canvas.disc(palm, 0.62 * unit, skin * 0.96)
    for outline in outlines:
        canvas.polygon(outline, skin)
        canvas.line(outline[[12, *range(11)]], line, 0.014 * unit, 0.6)
        tip, back = outline[5], outline.mean(axis=0)
        canvas.disc(tip + (back - tip) * 0.10, 0.055 * unit, skin * 1.07, 0.8)
    return [*outlines, palm + 0.62 * unit * np.stack([np.cos(_TURN), np.sin(_TURN)], axis=-1)]


def _bar(canvas: Canvas, view: FaceView, middle: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """A straight bar right across the picture, such as a railing or a strap."""
    unit, angle = view.scale, rng.uniform(0.0, np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    at = middle + across * rng.uniform(-0.8, 0.8) * unit
    half, far = rng.uniform(0.07, 0.15) * unit, 4000.0 / 8
    bar = np.stack([at - far * along - half * across, at + far * along - half * across])
    bar = np.concatenate([bar, np.stack([at + far * along + half * across, at - far * along + half * across])])
    colour = rng.uniform(25, 230, 3)
    canvas.polygon(bar + 0.05 * unit, (20, 20, 20), 0.3)
    canvas.polygon(bar, colour)
    for share, tone in ((-0.45, 1.25), (0.75, 0.7)):
        edge = np.stack([at - far * along, at + far * along]) + share * half * across
        canvas.line(edge, colour * tone, half * 0.35, 0.55)
    return [bar]


def _cup(canvas: Canvas, view: FaceView, middle: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """A cup held before the mouth or the chin."""
    shape, unit = view.shape, view.scale
    at = view.project(np.array([rng.uniform(-0.25, 0.25), shape.mouth_y + rng.uniform(0.05, 0.25), 0.45]))
    wide, tall = rng.uniform(0.36, 0.48) * unit, rng.uniform(0.9, 1.1) * unit
    colour = rng.uniform(60, 240, 3)
    t = np.linspace(0.0, np.pi, 16)
    rim = np.stack([wide * np.cos(t), -0.22 * wide * np.sin(t)], axis=-1)
    foot = np.stack([-0.8 * wide * np.cos(t), 0.20 * wide * np.sin(t) + tall], axis=-1)
    body = at + np.concatenate([rim, foot])
    canvas.polygon(body, colour)
    side = np.array([[0.35, 0.0], [0.95, 0.0], [0.76, tall / wide], [0.28, tall / wide]]) * wide
    canvas.shade(soften(canvas.mask(at + side), 0.08 * unit), colour * 0.45, 0.6)
    canvas.line(at + rim * (1.0, 1.0), np.minimum(colour * 1.2 + 20, 250), 0.03 * unit, 0.8)
    return [body]


_TURN = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)


def _capsule(start: np.ndarray, end: np.ndarray, radius: float) -> np.ndarray:
    along = (end - start) / np.linalg.norm(end - start)
    across = np.array([-along[1], along[0]])
    t = np.linspace(-np.pi / 2, np.pi / 2, 11)[:, None]
    tip = end + radius * (np.cos(t) * along + np.sin(t) * across)
    return np.concatenate([tip, start[None] + radius * across, start[None] - radius * across])


def covered(points: np.ndarray, outlines: list[np.ndarray], margin: float = 0.0) -> np.ndarray:
    """Which of ``points`` ``[n, 2]`` lie within one of the outlines, or ``margin`` pixels outside: ``bool [n]``."""
    hidden = np.zeros(len(points), bool)
    for outline in outlines:
        polygon = outline.astype(np.float32)[:, None]
        hidden |= [cv2.pointPolygonTest(polygon, (float(x), float(y)), True) >= -margin for x, y in points]
    return hidden
