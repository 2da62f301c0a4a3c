"""One drawn face: a picture and its exact points."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from .background import draw_background
from .canvas import Canvas
from .extras import covered, draw_glasses, draw_occluder
from .features import draw_features
from .head import draw_behind, draw_hat, draw_head, face_outline, nose_outline
from .look import Look
from .shape import Expression, FaceShape, Identity
from .skin import Skin
from .view import FaceView, Pose


@dataclass(frozen=True)
class DrawnFace:
    """A picture of a face and where its points are.

    Attributes:
        image: BGR, ``uint8 [height, width, 3]``; a grey picture has three equal channels.
        points68, points106: the iBUG and the Datatang points of this face,
            ``[68, 2]`` and ``[106, 2]``, pixels, 0-based.
        visible106: ``bool [106]``; False where hair, dark glasses or an object covers the point,
            where it is turned away, and off the picture.
        pose, expression, look: what was drawn.
    """

    image: np.ndarray
    points68: np.ndarray
    points106: np.ndarray
    visible106: np.ndarray
    pose: Pose
    expression: Expression
    look: Look


def random_face(seed: int | tuple[int, ...], size: int = 240, hard: bool = False) -> DrawnFace:
    """Draw the face that belongs to ``seed``, in a picture about ``size`` pixels wide and high.

    The same arguments give the same face and, with the same OpenCV, the same
    pixels. ``hard`` faces are mostly turned away or partly covered.
    """
    rng = np.random.default_rng(seed)
    width, height = (int(v) for v in np.rint(size * rng.uniform(0.85, 1.1, 2)))
    shape = FaceShape(Identity.draw(rng), Expression.draw(rng))
    look, pose = Look.draw(rng), Pose.draw(rng, turned=0.9 if hard else 0.3)
    view = FaceView(shape, pose, *_placement(width, height, rng))
    canvas = Canvas(width, height)
    draw_background(canvas, rng)
    face = _draw_person(canvas, view, look, rng)
    objects = draw_glasses(canvas, view, look, rng) + draw_occluder(canvas, view, look, rng, 0.5 if hard else 0.24)
    return _drawn(_photograph(canvas.finish(), rng), view, look, face, objects)


def portrait(size: int = 1200) -> DrawnFace:
    """The average face, straight on, with open eyes and lips, for pictures that explain the points."""
    rng = np.random.default_rng(6)
    expression = Expression(mouth_open=0.3, smile=0.3, eye_open=(1.1, 1.1), gaze=(0.14, 0.0))
    look = replace(
        Look.draw(rng),
        skin=np.array([168.0, 200.0, 240.0]),
        hair=np.array([34.0, 48.0, 74.0]),
        light=np.array([-0.3, -0.4, 0.866]),
        ambient=0.7,
        hair_style='parted',
        hairline=-0.8,
        beard='none',
        makeup=0.0,
        freckles=0.0,
        glasses='none',
        hat='none',
    )
    shape = FaceShape(Identity.average(), expression)
    view = FaceView(shape, Pose(), 0.7 * size, (0.5 * size, 0.56 * size))
    canvas = Canvas(size, size)
    canvas.pixels[:] = (228, 224, 220)
    face = _draw_person(canvas, view, look, rng)
    return _drawn(canvas.finish(), view, look, face, [])


def _drawn(
    image: np.ndarray, view: FaceView, look: Look, face: list[np.ndarray], objects: list[np.ndarray]
) -> DrawnFace:
    points = view.points106()
    under_hair = ~covered(points, face, margin=0.03 * view.scale)
    inside = ((points > -0.5) & (points < np.array(image.shape[1::-1]) - 0.5)).all(axis=1)
    return DrawnFace(
        image=image,
        points68=view.points68(),
        points106=points,
        visible106=inside & ~(under_hair | covered(points, objects) | view.turned_away106()),
        pose=view.pose,
        expression=view.shape.expression,
        look=look,
    )


def _placement(width: int, height: int, rng: np.random.Generator) -> tuple[float, tuple[float, float]]:
    """Size and centre of the landmark rectangle: usually 45 % of margin, every eighth closer, some cut off."""
    close = rng.random() < 0.12
    size = min(width, height) * (rng.uniform(0.7, 0.95) if close else rng.uniform(0.48, 0.60))
    spare = (np.array([width, height]) - size) / 2.0
    shift = np.clip(rng.normal(0.0, 0.25, 2), -0.7, 0.7) * spare
    if rng.random() < 0.04:  # cut off by the picture's edge
        side = int(rng.integers(2))
        shift[side] = rng.choice([-1, 1]) * (spare[side] + 0.08 * size)
    return float(size), (width / 2.0 + shift[0], height / 2.0 + shift[1])


def _draw_person(canvas: Canvas, view: FaceView, look: Look, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw a person, far things first; returns the outlines of what is seen of the face."""
    skin = Skin(view, look, canvas.width, canvas.height, rng)
    face = [face_outline(view, look, rng), nose_outline(view)]
    draw_behind(canvas, view, look)
    draw_head(canvas, view, look, rng)
    for outline in face[::-1]:
        canvas.line(outline, look.skin * 0.38, 0.014 * view.scale, 0.45, closed=True)
        canvas.paste(skin.picture, canvas.mask(outline))
    draw_features(canvas, view, look, skin, rng)
    draw_hat(canvas, view, look)
    return face


def _photograph(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What light, lens and sensor do: uneven light, contrast, blur, noise, now and then no colour."""
    height, width = image.shape[:2]
    picture = image.astype(np.float32)
    if rng.random() < 0.5:  # light that falls off to one side
        corners = rng.uniform(0.55, 1.2, (2, 2)).astype(np.float32)
        picture *= cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    if rng.random() < 0.15:  # a hard shadow across the picture
        angle, at = rng.uniform(0, 2 * np.pi), rng.uniform(-0.2, 0.2)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        side = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle) - at
        picture *= (1.0 - rng.uniform(0.2, 0.5) / (1.0 + np.exp(-np.clip(side * 60, -30, 30))))[..., None]
    picture = (picture - 128) * rng.uniform(0.75, 1.1) + 128 + rng.normal(0, 10)
    picture *= 1.0 + rng.normal(0.0, 0.04, 3).astype(np.float32)
    blur = float(rng.choice([0.0, rng.uniform(0.4, 1.4)], p=[0.6, 0.4]))
    if blur:
        picture = cv2.GaussianBlur(picture, (0, 0), blur)
    noise = rng.standard_normal((height, width, 3), dtype=np.float32)
    picture += noise * float(rng.choice([1.0, rng.uniform(2.0, 9.0)], p=[0.5, 0.5]))
    if rng.random() < 0.07:
        picture = np.repeat(picture @ np.array([[0.114], [0.587], [0.299]], np.float32), 3, axis=2)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
