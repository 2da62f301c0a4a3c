"""A face seen by a camera: pose, perspective, outline, and the annotated points.

Image coordinates are pixels, 0-based, the centre of the first pixel is (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .shape import LEFT, RIGHT, FaceShape

_SIDES = (LEFT, RIGHT)
_TOP = -1.2  # above every hairline, head units


@dataclass(frozen=True)
class Pose:
    """How the head is turned (degrees) and how far the camera is (head units).

    Positive yaw turns the face to the viewer's right, positive pitch down,
    positive roll clockwise as seen in the picture.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    distance: float = 6.0

    @classmethod
    def draw(cls, rng: np.random.Generator, turned: float = 0.3) -> Pose:
        """A random pose: yaw within 42, pitch within 22, roll within 35 degrees.

        ``turned`` is the share of faces whose yaw may be anything; the others look more or less straight on.
        """
        yaw = rng.choice([rng.normal(0.0, 12.0), rng.uniform(-42.0, 42.0)], p=[1.0 - turned, turned])
        return cls(
            yaw=float(np.clip(yaw, -42.0, 42.0)),
            pitch=float(np.clip(rng.normal(0.0, 9.0), -22.0, 22.0)),
            roll=float(np.clip(rng.normal(0.0, 9.0), -35.0, 35.0)),
            distance=float(rng.uniform(4.5, 10.0)),
        )

    def turn(self) -> np.ndarray:
        """Rotation ``[3, 3]`` by yaw and then pitch; roll is left to the image plane."""
        a, b = np.deg2rad(self.yaw), np.deg2rad(self.pitch)
        yaw = np.array([[np.cos(a), 0.0, np.sin(a)], [0.0, 1.0, 0.0], [-np.sin(a), 0.0, np.cos(a)]])
        pitch = np.array([[1.0, 0.0, 0.0], [0.0, np.cos(b), np.sin(b)], [0.0, -np.sin(b), np.cos(b)]])
        return pitch @ yaw


class FaceView:
    """A :class:`FaceShape` in a :class:`Pose`, placed in a picture.

    Args:
        shape: the face.
        pose: how it is turned.
        size: longer side of the landmark rectangle, pixels.
        centre: where the landmark rectangle's centre goes, pixels (x, y).
    """

    def __init__(self, shape: FaceShape, pose: Pose, size: float, centre: tuple[float, float]) -> None:
        self.shape, self.pose = shape, pose
        self._turn = pose.turn()
        roll = np.deg2rad(pose.roll)
        self._roll = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
        self._scale, self._offset = 1.0, np.zeros(2)
        self._limits = self._visible_shares()
        self._edges = [self._jaw(side) for side in _SIDES]
        self._features = self._features106()
        points = self._find_points106()
        low, high = points.min(axis=0), points.max(axis=0)
        self._scale = size / float((high - low).max())
        self._offset = np.asarray(centre, float) - self._scale * (low + high) / 2.0
        self._edges = [edge * self._scale + self._offset for edge in self._edges]
        self._points106 = points * self._scale + self._offset

    @property
    def scale(self) -> float:
        """Pixels a head unit, at the depth of the eyes."""
        return self._scale

    @property
    def pose_matrix(self) -> np.ndarray:
        """Rotation ``[3, 3]`` from head to camera coordinates, without roll."""
        return self._turn

    def camera(self, xyz: np.ndarray) -> np.ndarray:
        """Head coordinates ``[..., 3]`` as the camera's, before roll; z towards the viewer."""
        return np.asarray(xyz, float) @ self._turn.T

    def project(self, xyz: np.ndarray) -> np.ndarray:
        """Head coordinates ``[..., 3]`` to pixels ``[..., 2]``."""
        return self._place(self._flat(self.camera(xyz)))

    def project_seen(self, xyz: np.ndarray) -> np.ndarray:
        """As :meth:`project`, for points ``[n, 3]`` of the skin; those behind the far cheek go to its visible edge.

        That is where an annotator puts a feature that cannot be seen.
        """
        xyz = np.asarray(xyz, float)
        x, y = xyz[:, 0], xyz[:, 1]
        limit = self._limit(x, y)
        hidden = np.abs(x) > limit
        if hidden.any():
            moved = self.shape.on_skin(np.clip(x, -limit, limit), y)
            xyz = np.where(hidden[:, None], moved, xyz)
        return self.project(xyz)

    def _limit(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The largest visible ``|x|`` on the side of ``x`` at height ``y``."""
        left, right = (np.interp(y, self._limit_heights, share) for share in self._limits)
        return np.where(x < 0, left, right) * self.shape.half_width(y)

    def _place(self, flat: np.ndarray) -> np.ndarray:
        return flat @ self._roll.T * self._scale + self._offset

    def _flat(self, seen: np.ndarray) -> np.ndarray:
        return seen[..., :2] * (self.pose.distance / (self.pose.distance - seen[..., 2:]))

    def outline(self, side: int, heights: np.ndarray) -> np.ndarray:
        """The visible outer edge of the face on one side at head heights ``[n]``: pixels ``[n, 2]``.

        On the side that is turned to us that is the rim from ear to chin. On
        the far side the rim hides behind the cheek; annotators then follow the
        cheek, and so does this: in each horizontal slice of the head the
        outermost place as seen is taken.
        """
        heights = np.asarray(heights, float)
        return self.across(side, heights, np.ones_like(heights))

    def across(self, side: int, heights: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Skin at ``share`` of the half width on one side, but never behind the outline: pixels ``[n, 2]``."""
        heights = np.asarray(heights, float)
        u = np.minimum(share, np.interp(heights, self._limit_heights, self._limits[0 if side == LEFT else 1]))
        chosen = self.shape.on_skin(side * u * self.shape.half_width(heights), heights)
        chosen[:, 2] = np.where(u >= 1.0, self.shape.rim_depth(heights), chosen[:, 2])
        return self.project(chosen)

    def _visible_shares(self) -> list[np.ndarray]:
        """For each side, at ``_limit_heights``, the share of the half width at which the face is outermost as seen."""
        self._limit_heights = np.linspace(_TOP, self.shape.chin_y, 120)
        steps = np.linspace(0.45, 1.0, 56)
        y = np.repeat(self._limit_heights[:, None], len(steps), axis=1)
        half, rim = self.shape.half_width(y), self.shape.rim_depth(y[:, -1])
        shares = []
        for side in _SIDES:
            xyz = self.shape.on_skin(side * steps * half, y)
            xyz[:, -1, 2] = rim
            shares.append(steps[(side * self._flat(self.camera(xyz))[..., 0]).argmax(axis=1)])
        return shares

    def contour(self, number: int) -> np.ndarray:
        """``number`` (odd) points from the left ear by the chin to the right ear, evenly spaced on each half."""
        left, right = (_evenly(edge, number // 2 + 1) for edge in self._edges)
        return np.concatenate([left, right[-2::-1]])

    def _jaw(self, side: int) -> np.ndarray:
        """One side's outline from ear to chin, dense."""
        heights = self.shape.chin_y * np.sin(np.linspace(0.0, np.pi / 2.0, 48))
        edge = self.outline(side, heights)
        edge[-1] = self.project(self.shape.on_skin(np.zeros(1), heights[-1:]))[0]
        return edge

    def points68(self) -> np.ndarray:
        """The iBUG points ``[68, 2]``, pixels, 0-based."""
        shape, third = self.shape, np.array([1.0, 2.0]) / 3.0
        features = [*self._upper_brows(), shape.nose_bridge(_BRIDGE), shape.nose_base(_BASE)]
        features += [_eye(shape, side, third) for side in _SIDES]
        return np.concatenate([self.contour(17), self.project_seen(np.concatenate([*features, *self._lips()]))])

    def points106(self) -> np.ndarray:
        """The Datatang points ``[106, 2]`` in Datatang's order, pixels, 0-based."""
        return self._points106.copy()

    def turned_away106(self) -> np.ndarray:
        """Which of the Datatang points lie behind the far cheek, and so were put on its edge: ``bool [106]``."""
        x, y = self._features[:, 0], self._features[:, 1]
        return np.concatenate([np.zeros(33, bool), np.abs(x) > self._limit(x, y)])

    def _find_points106(self) -> np.ndarray:
        return np.concatenate([self.contour(33), self.project_seen(self._features)])

    def _features106(self) -> np.ndarray:
        """All Datatang points but the contour's, head coordinates ``[73, 3]``."""
        shape, inner = self.shape, np.array([0.29, 0.71])
        lower = np.array([0.27, 0.51, 0.75, 0.98])
        parts = []
        for side, upper in zip(_SIDES, self._upper_brows()):
            parts += [upper, shape.brow(side, False, lower if side == LEFT else lower[::-1])]
        for side in _SIDES:
            middle = np.array([0.5])
            parts += [_eye(shape, side, inner), shape.lid(side, True, middle), shape.lid(side, False, middle)]
            parts += [shape.pupil(side)[None], shape.eye_centre(side)[None]]
        sides = np.stack([shape.nose_side(side) for side in _SIDES], axis=1).reshape(-1, 3)
        parts += [shape.nose_bridge(_BRIDGE), sides, shape.nose_base(_BASE), self._mouth106()]
        return np.concatenate(parts)

    def _upper_brows(self) -> list[np.ndarray]:
        t = np.linspace(0.0, 1.0, 5)
        return [self.shape.brow(LEFT, True, t), self.shape.brow(RIGHT, True, t[::-1])]

    def _lips(self) -> list[np.ndarray]:
        """Outer upper, outer lower, inner upper, inner lower edge, in iBUG's clockwise order."""
        lip = self.shape.lip
        return [
            lip(True, False, np.array([0.0, 0.18, 0.375, 0.5, 0.625, 0.82, 1.0])),
            lip(False, False, np.array([0.81, 0.64, 0.5, 0.36, 0.19])),
            lip(True, True, np.array([0.0, 0.34, 0.5, 0.66, 1.0])),
            lip(False, True, np.array([0.66, 0.5, 0.34])),
        ]

    def _mouth106(self) -> np.ndarray:
        upper, lower, inner_upper, inner_lower = self._lips()
        corner_left, dip_left, peak_left, middle, peak_right, dip_right, corner_right = upper
        far_right, near_right, low, near_left, far_left = lower
        outer = [
            corner_left,
            peak_left,
            middle,
            peak_right,
            corner_right,
            low,
            dip_left,
            dip_right,
            far_right,
            far_left,
        ]
        inside = [inner_upper[0], inner_upper[-1], *inner_upper[1:-1], *inner_lower[::-1]]
        return np.stack([*outer, *inside, near_left, near_right])


_BRIDGE = np.linspace(0.0, 1.0, 4)
_BASE = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])


def _eye(shape: FaceShape, side: int, inner: np.ndarray) -> np.ndarray:
    """Left corner, two upper-lid points, right corner, two lower-lid points: ``[6, 3]``, clockwise."""
    ends = np.array([0.0, *inner, 1.0])  # outer to inner corner
    if side == RIGHT:
        ends = ends[::-1]
    return np.concatenate([shape.lid(side, True, ends), shape.lid(side, False, ends[2:0:-1])])


def _evenly(line: np.ndarray, number: int) -> np.ndarray:
    """``number`` points at equal arc length on the polyline ``[n, 2]``, ends included."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0.0, length[-1], number)
    return np.stack([np.interp(at, length, line[:, k]) for k in range(2)], axis=-1)
