"""Cluttered backgrounds, with things in them that look a little like a face."""

from __future__ import annotations

import cv2
import numpy as np

from .canvas import Canvas


def draw_background(canvas: Canvas, rng: np.random.Generator) -> None:
    """Fill the canvas with a gradient, shapes, now and then doll-like faces, mostly out of focus."""
    width, height = canvas.width, canvas.height
    base = rng.uniform(40, 215) + rng.normal(0, 15, 3)
    corners = base + rng.normal(0, 22, (2, 2, 1)) + rng.normal(0, 7, (2, 2, 3))
    corners = np.clip(corners, 5, 250).astype(np.float32)
    canvas.pixels[:] = cv2.resize(corners, canvas.pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    for _ in range(int(rng.integers(2, 16))):
        _clutter(canvas, base, rng)
    for _ in range(int(rng.choice([0, 1, 2], p=[0.6, 0.28, 0.12]))):
        centre = rng.uniform(0.0, 1.0, 2) * (width, height)
        _doll(canvas, centre, rng.uniform(0.08, 0.18) * min(width, height), rng)
    blur = float(rng.choice([0.0, rng.uniform(0.5, 2.0), rng.uniform(2.0, 7.0)], p=[0.2, 0.4, 0.4]))
    if blur:
        small = cv2.resize(canvas.pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), blur / 2)
        canvas.pixels[:] = cv2.resize(small, canvas.pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _clutter(canvas: Canvas, base: np.ndarray, rng: np.random.Generator) -> None:
    size = min(canvas.width, canvas.height)
    centre = rng.uniform(-0.1, 1.1, 2) * (canvas.width, canvas.height)
    colour = np.clip(base + rng.normal(0, 42) + rng.normal(0, 22, 3), 5, 250)
    kind, extent = rng.integers(4), rng.uniform(0.05, 0.35, 2) * size
    turn = rng.uniform(0, np.pi)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    if kind == 0:
        box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * extent
        canvas.polygon(centre + (box if rng.random() < 0.5 else box @ axes), colour, rng.uniform(0.5, 1.0))
    elif kind == 1:
        canvas.polygon(centre + (_ROUND * extent) @ axes, colour, rng.uniform(0.5, 1.0))
    elif kind == 2:
        step = axes[1] * rng.uniform(0.03, 0.08) * size
        for k in range(int(rng.integers(2, 7))):
            line = centre + k * step + np.array([[-1.0], [1.0]]) * axes[0] * extent.max() * 2
            canvas.line(line, colour, rng.uniform(0.004, 0.02) * size, 0.9)
    else:
        radius = rng.uniform(0.1, 1.0, (7, 1)) ** 0.5 * extent.mean()
        angle = np.linspace(0, 2 * np.pi, 7, endpoint=False)[:, None]
        canvas.polygon(centre + radius * np.hstack([np.cos(angle), np.sin(angle)]), colour, rng.uniform(0.5, 1.0))


_TURNS = np.linspace(0.0, 2.0 * np.pi, 32, endpoint=False)
_ROUND = np.stack([np.cos(_TURNS), np.sin(_TURNS)], axis=-1)


def _doll(canvas: Canvas, centre: np.ndarray, radius: float, rng: np.random.Generator) -> None:
    """A distractor: an oval with two dark eyes and a mouth, as on toys, signs and posters."""
    skin = np.array([rng.uniform(60, 190), rng.uniform(90, 210), rng.uniform(130, 240)])
    turn = np.deg2rad(rng.normal(0, 15))
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])

    def oval(x: float, y: float, rx: float, ry: float) -> np.ndarray:
        return centre + radius * ((np.array([x, y]) + _ROUND * (rx, ry)) @ axes)

    canvas.polygon(oval(0, -0.2, 1.05, 1.25), skin * rng.uniform(0.1, 0.6))
    canvas.polygon(oval(0, 0, 0.9, 1.15), skin)
    for side in (-1, 1):
        canvas.polygon(oval(0.36 * side, -0.15, 0.16, 0.10), (235, 235, 235))
        canvas.polygon(oval(0.36 * side, -0.15, 0.08, 0.09), (30, 25, 25))
        canvas.polygon(oval(0.36 * side, -0.40, 0.22, 0.04), skin * 0.4)
    canvas.polygon(oval(0, 0.22, 0.10, 0.14), skin * 0.8)
    canvas.polygon(oval(0, 0.58, 0.30, rng.uniform(0.04, 0.16)), skin * np.array([0.4, 0.4, 0.7]))
