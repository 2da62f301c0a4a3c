"""Eyes, brows, nose and mouth, drawn through the very curves that the points lie on."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, soften
from .look import Look
from .shape import LEFT, RIGHT
from .skin import Skin
from .view import FaceView

_ALONG = np.linspace(0.0, 1.0, 28)


def draw_features(canvas: Canvas, view: FaceView, look: Look, skin: Skin, rng: np.random.Generator) -> None:
    """Draw all features; the side that is turned away comes first."""
    near = RIGHT if view.pose.yaw < 0 else LEFT
    _nose(canvas, view, look, skin)
    _mouth(canvas, view, look, skin)
    for side in (-near, near):
        _eye(canvas, view, look, skin, side)
        _brow(canvas, view, look, skin, side, rng)


def _eye(canvas: Canvas, view: FaceView, look: Look, skin: Skin, side: int) -> None:
    shape, unit = view.shape, view.scale
    upper, lower = view.project_seen(shape.lid(side, True, _ALONG)), view.project_seen(shape.lid(side, False, _ALONG))
    opening = np.concatenate([upper, lower[::-1]])
    light = skin.light_at(opening)
    lash = look.hair * 0.25 + look.skin * 0.10
    wide = shape.expression.eye_open[0 if side == LEFT else 1]
    down = view.project(shape.eye_centre(side) + np.array([0.0, 0.1, 0.0])) - view.project(shape.eye_centre(side))

    socket = soften(canvas.mask(_grown(opening, 1.30) - 0.25 * down), 0.035 * unit)
    canvas.shade(socket, look.skin * light * 0.55, 0.35 + 0.25 * look.makeup)
    canvas.polygon(opening, np.array([226, 232, 236]) * np.clip(light, 0.35, 1.05))
    if wide > 0.2:
        inside = canvas.mask(opening)
        layer = Canvas(canvas.width, canvas.height)
        layer.pixels[:] = canvas.pixels
        _iris(layer, view, look, side, light)
        shadow = np.concatenate([upper, (upper + 0.38 * down)[::-1]])
        layer.polygon(shadow, lash, 0.35)
        canvas.paste(layer.pixels, inside)
    inner = opening[[27]]
    canvas.disc(inner[0] * 0.93 + opening.mean(axis=0) * 0.07, 0.018 * unit, look.skin * light * (0.8, 0.75, 1.0), 0.8)
    canvas.line(lower, look.skin * light * 0.52, 0.012 * unit, 0.8)
    canvas.line(upper, lash, (0.026 + 0.014 * look.makeup) * unit)
    if look.makeup > 0.3:  # a lash beyond the outer corner
        tip = opening[0] + 0.22 * (opening[0] - opening[10]) - 0.28 * down
        canvas.line(np.stack([opening[0], tip]), lash, 0.022 * unit)
    crease = upper[3:-4] - (0.36 + 0.30 * min(wide, 1.0)) * down
    canvas.line(crease, look.skin * light * 0.55, 0.014 * unit, 0.65)


def _iris(layer: Canvas, view: FaceView, look: Look, side: int, light: np.ndarray) -> None:
    shape, unit = view.shape, view.scale
    radius = 0.085 * shape.identity.eye_height**0.5
    colour = look.iris * np.clip(light, 0.5, 1.1)
    layer.polygon(view.project(shape.iris(side, radius)), colour * 0.45)
    layer.polygon(view.project(shape.iris(side, radius * 0.84)), colour)
    layer.polygon(view.project(shape.iris(side, radius * 0.62)), np.minimum(colour * 1.25 + 12, 235), 0.7)
    layer.polygon(view.project(shape.iris(side, radius * 0.46)), (14, 12, 12))
    centre = view.project(shape.pupil(side))
    glint = centre + unit * 0.36 * radius * np.array([np.sign(look.light[0] + 1e-6), -1.0])
    layer.disc(glint, 0.26 * radius * unit, (250, 250, 250), 0.95)


def _brow(canvas: Canvas, view: FaceView, look: Look, skin: Skin, side: int, rng: np.random.Generator) -> None:
    upper = view.project_seen(view.shape.brow(side, True, _ALONG))
    lower = view.project_seen(view.shape.brow(side, False, _ALONG))
    shape = np.concatenate([upper, lower[::-1]])
    colour = (look.hair * 0.72 + look.skin * 0.06) * np.clip(skin.light_at(shape), 0.6, 1.0)
    canvas.polygon(shape, colour, 0.82)
    for _ in range(26):  # single hairs, from the lower edge outwards and up
        at = int(rng.integers(6, 27))
        end = max(at - int(rng.integers(2, 6)), 0)
        tone = colour * rng.uniform(0.55, 1.25)
        canvas.line(np.stack([lower[at], 0.3 * lower[end] + 0.7 * upper[end]]), tone, 0.011 * view.scale, 0.7)


def _nose(canvas: Canvas, view: FaceView, look: Look, skin: Skin) -> None:
    shape, unit = view.shape, view.scale
    wide = shape.identity.nose_width
    near = RIGHT if view.pose.yaw < 0 else LEFT
    base = view.project(shape.nose_base(np.linspace(-1.0, 1.0, 25)))
    dark = look.skin * skin.light_at(base) * np.array([0.36, 0.36, 0.46])
    for side in (LEFT, RIGHT):
        turned = abs(view.pose.yaw) / 45.0 * (1.0 if side != near else -0.2)
        angle = np.linspace(0.0, 2.0 * np.pi, 20, endpoint=False)
        x = side * wide * (0.088 + 0.045 * np.cos(angle))
        y = shape.nose_base_y - 0.035 + 0.020 * np.sin(angle) - 0.012 * np.cos(angle)
        if turned < 0.75:
            canvas.polygon(view.project(shape.on_skin(x, y)), dark, 0.78)
        if turned < 0.45:
            wing = view.project(_wing(view, side))
            canvas.line(wing, dark, 0.016 * unit, 0.55)
            bridge = view.project(shape.nose_side(side))
            if side != near or abs(view.pose.yaw) < 12:
                canvas.soft_line(bridge, look.skin * 0.45, 0.05 * unit, 0.18)
    canvas.line(base[3:-3], dark, 0.016 * unit, 0.42)
    smile = max(shape.expression.smile, 0.0) + 0.4 * shape.expression.mouth_open
    if smile > 0.15:
        for side in (LEFT, RIGHT):
            t = np.linspace(0.0, 1.0, 12)
            x = side * (0.27 * wide + (shape.mouth_half + 0.08 - 0.27 * wide) * t**0.8)
            y = shape.nose_base_y - 0.08 + (shape.mouth_y - shape.nose_base_y + 0.06) * t**1.2
            canvas.soft_line(view.project(shape.on_skin(x, y)), look.skin * 0.45, 0.035 * unit, min(0.55 * smile, 0.5))


def _wing(view: FaceView, side: int) -> np.ndarray:
    """From above the wing round its widest place to the base: through the annotated points."""
    above, widest = view.shape.nose_side(side)[1:]
    foot = view.shape.nose_base(np.array([float(side)]))[0]
    t = np.linspace(0.15, 1.0, 14)[:, None]
    # A quadratic through the three of them: at t = 0, 0.5 and 1.
    return (1 - t) * (1 - 2 * t) * above + 4 * t * (1 - t) * widest + t * (2 * t - 1) * foot


def _mouth(canvas: Canvas, view: FaceView, look: Look, skin: Skin) -> None:
    shape, unit = view.shape, view.scale
    edge = {
        (upper, inner): view.project_seen(shape.lip(upper, inner, _ALONG))
        for upper in (True, False)
        for inner in (True, False)
    }
    whole = np.concatenate([edge[True, False], edge[False, False][::-1]])
    opening = np.concatenate([edge[True, True], edge[False, True][::-1]])
    light = np.clip(skin.light_at(whole), 0.4, 1.1)
    lip = look.lip * light
    down = view.project(np.array([0.0, shape.mouth_y + 0.1, 0.3])) - view.project(np.array([0.0, shape.mouth_y, 0.3]))

    for upper, tone in ((False, (1.0, 1.0, 1.0)), (True, (0.80, 0.80, 0.86))):
        outer = edge[upper, False]
        canvas.polygon(np.concatenate([outer, edge[upper, True][::-1]]), lip * np.array(tone))
    gleam = 0.45 * edge[False, False][8:-8] + 0.55 * edge[False, True][8:-8]
    canvas.soft_line(gleam, np.minimum(lip * 1.25 + 40, 250), 0.035 * unit, 0.35)
    if shape.gap > 0.012:
        canvas.polygon(opening, np.array([30, 22, 66]) * light)
        layer = Canvas(canvas.width, canvas.height)
        layer.pixels[:] = canvas.pixels
        low = edge[False, True]
        hump = np.sin(np.pi * np.linspace(0.0, 1.0, len(low) - 8))[:, None] ** 0.6
        tongue = np.concatenate([low[4:-4], (low[4:-4] - 0.5 * shape.gap / 0.1 * hump * down)[::-1]])
        layer.polygon(tongue, np.array([88, 84, 178]) * light, 0.9)
        top = edge[True, True]
        chord = top[0] + _ALONG[:, None] * (top[-1] - top[0])
        bite = chord + min(0.42 * shape.gap, 0.055) / 0.1 * np.sin(np.pi * _ALONG[:, None]) ** 0.5 * down
        teeth = np.concatenate([top, bite[::-1]])
        layer.polygon(teeth, np.array([222, 234, 240]) * np.clip(light, 0.6, 1.0))
        canvas.paste(layer.pixels, canvas.mask(opening))
        canvas.line(opening, look.lip * light * 0.45, 0.012 * unit, 0.6, closed=True)
    else:
        canvas.line(edge[True, True], look.lip * light * 0.42, 0.020 * unit, 0.85)
    ends = edge[True, False][[0, -1]]
    for end in ends:
        canvas.disc(end, 0.020 * unit, look.skin * light * 0.5, 0.5)


def _grown(outline: np.ndarray, factor: float) -> np.ndarray:
    middle = outline.mean(axis=0)
    return middle + factor * (outline - middle)
