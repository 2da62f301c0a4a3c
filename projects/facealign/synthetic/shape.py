"""The parametric 3-D face that the drawn sample faces are made of.

Coordinates are the head's own: x to the viewer's right, y down, z towards the
viewer; the origin lies between the eyes and the face is about two units wide.
The face is a height field ``z = depth(x, y)`` inside an outline; eyes, brows,
nose and mouth are curves on it. Points and pictures both come from these
curves, so an annotated point lies exactly where its feature is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

LEFT, RIGHT = -1, 1  # the viewer's sides, and the sign of x there


@dataclass(frozen=True)
class Identity:
    """What stays the same in all pictures of one person; 1 is the average for the unit-less factors."""

    width: float
    jaw_length: float
    jaw_power: float  # exponent of the super-ellipse: larger is squarer
    taper: float  # how much narrower the chin is than the super-ellipse
    eye_spacing: float
    eye_width: float
    eye_height: float
    eye_tilt: float  # rise of the outer corner, head units
    brow_height: float
    brow_arch: float
    brow_thickness: float
    nose_width: float
    nose_length: float
    nose_height: float
    mouth_width: float
    mouth_height: float  # distance from nose to mouth
    lip_thickness: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Identity:
        """A random person; ``average`` is the centre of this distribution."""
        values = {}
        for f in fields(cls):
            mean, spread = _IDENTITY[f.name]
            values[f.name] = mean + spread * float(np.clip(rng.normal(), -2.0, 2.0))
        return cls(**values)

    @classmethod
    def average(cls) -> Identity:
        return cls(**{name: mean for name, (mean, _) in _IDENTITY.items()})


_IDENTITY = {
    'width': (1.0, 0.06),
    'jaw_length': (1.0, 0.06),
    'jaw_power': (2.3, 0.18),
    'taper': (0.05, 0.05),
    'eye_spacing': (1.0, 0.06),
    'eye_width': (1.0, 0.08),
    'eye_height': (1.0, 0.14),
    'eye_tilt': (0.015, 0.018),
    'brow_height': (1.0, 0.12),
    'brow_arch': (1.0, 0.35),
    'brow_thickness': (1.0, 0.25),
    'nose_width': (1.0, 0.12),
    'nose_length': (1.0, 0.08),
    'nose_height': (1.0, 0.16),
    'mouth_width': (1.0, 0.10),
    'mouth_height': (1.0, 0.12),
    'lip_thickness': (1.0, 0.22),
}


@dataclass(frozen=True)
class Expression:
    """What one picture's face does.

    Attributes:
        mouth_open: 0 closed … 1 wide open.
        smile: -0.35 sad … 1 broad.
        mouth_skew: rise of the right corner over the left, head units.
        eye_open: left and right, 0 shut … 1 normal … 1.25 wide.
        brow_raise: left and right, -1 drawn down … 1 raised.
        gaze: where the pupils look, in eye half-widths (x) and heights (y).
    """

    mouth_open: float = 0.0
    smile: float = 0.0
    mouth_skew: float = 0.0
    eye_open: tuple[float, float] = (1.0, 1.0)
    brow_raise: tuple[float, float] = (0.0, 0.0)
    gaze: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Expression:
        """A random expression: often near neutral, every tenth with shut eyes, a third with an open mouth."""
        mouth_open = float(rng.choice([0.0, rng.uniform(0.05, 0.35), rng.uniform(0.35, 1.0)], p=[0.55, 0.25, 0.2]))
        eye_open = rng.uniform(0.65, 1.2)
        shut = rng.choice(['none', 'both', 'left', 'right'], p=[0.88, 0.08, 0.02, 0.02])
        lids = tuple(
            float(rng.uniform(0.0, 0.08) if shut in ('both', side) else eye_open + rng.normal(0.0, 0.03))
            for side in ('left', 'right')
        )
        raise_both = rng.choice([0.0, rng.uniform(-0.8, 1.0)], p=[0.4, 0.6])
        brows = tuple(float(np.clip(raise_both + rng.normal(0.0, 0.12), -1.0, 1.0)) for _ in range(2))
        return cls(
            mouth_open=mouth_open,
            smile=float(np.clip(rng.normal(0.38, 0.35), -0.35, 1.0)),
            mouth_skew=float(rng.normal(0.0, 0.015)),
            eye_open=(lids[0], lids[1]),
            brow_raise=(brows[0], brows[1]),
            gaze=(float(np.clip(rng.normal(0.0, 0.2), -0.42, 0.42)), float(np.clip(rng.normal(0.0, 0.15), -0.3, 0.3))),
        )


def _bell(x: np.ndarray, y: np.ndarray, cx: float, cy: float, sx: float, sy: float) -> np.ndarray:
    return np.exp(-(((x - cx) / sx) ** 2) - ((y - cy) / sy) ** 2)


def _arch(s: np.ndarray, power: float) -> np.ndarray:
    """0 at s = 0 and 1, 1 in the middle; a smaller power is fuller."""
    return np.clip(np.sin(np.pi * np.clip(s, 0.0, 1.0)), 0.0, 1.0) ** power


class FaceShape:
    """One person's face with one expression, before it is turned and projected.

    All curve methods return ``[n, 3]`` head coordinates.
    """

    def __init__(self, identity: Identity, expression: Expression) -> None:
        self.identity, self.expression = identity, expression
        i, e = identity, expression
        self.gap = 0.40 * e.mouth_open
        self.chin_y = 1.48 * i.jaw_length + 0.6 * self.gap
        self.nose_tip_y = 0.46 * i.nose_length
        self.nose_base_y = 0.60 * i.nose_length
        self.mouth_y = self.nose_base_y + 0.30 * i.mouth_height
        self.mouth_half = 0.37 * i.mouth_width * (1.0 + 0.16 * e.smile - 0.10 * e.mouth_open)
        self.eye_x = 0.45 * i.eye_spacing
        self.eye_half = 0.19 * i.eye_width
        self._eye_centres = {side: self._find_eye_centre(side) for side in (LEFT, RIGHT)}
        self._pupils = {side: self._find_pupil(side) for side in (LEFT, RIGHT)}

    def half_width(self, y: np.ndarray) -> np.ndarray:
        """Half the face's width at height ``y``: a super-ellipse jaw below the eyes, a rounder one above."""
        i = self.identity
        q = np.clip(y / self.chin_y, 0.0, 1.0)
        jaw = (1.0 - q**i.jaw_power) ** (1.0 / i.jaw_power) * (1.0 - i.taper * q**2)
        p = np.clip(-y / 1.25, 0.0, 1.0)
        skull = (1.0 - p**2.4) ** (1.0 / 2.4)
        return i.width * np.where(y > 0, jaw, skull)

    def rim_depth(self, y: np.ndarray) -> np.ndarray:
        """z of the outline at height ``y``: far back at the ears, forward at the chin."""
        return -0.8 + 0.8 * np.clip(y / self.chin_y, 0.0, 1.0) ** 1.5

    def depth(self, x: np.ndarray | float, y: np.ndarray | float) -> np.ndarray:
        """z of the skin at ``(x, y)``; outside the outline the rim's."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        u = np.clip(np.abs(x) / np.maximum(self.half_width(y), 1e-6), 0.0, 1.0)
        q = np.clip(y / self.chin_y, 0.0, 1.0)
        front = 0.12 - 0.30 * np.clip(-y - 0.2, 0.0, None) ** 2 - 0.10 * q**6
        rim = self.rim_depth(y)
        return rim + (front - rim) * (1.0 - u**2.4) ** 0.6 + self._relief(x, y) + self.nose_relief(x, y)

    def _relief(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Brow ridge, eyes, cheeks, lips and chin."""
        e, side = self.expression, np.abs(x)  # everything here is symmetric
        z = 0.05 * _bell(side, y, 0.35, -0.24, 0.40, 0.12) - 0.10 * _bell(side, y, self.eye_x - 0.06, 0.0, 0.24, 0.15)
        z += 0.055 * _bell(side, y, self.eye_x, 0.01, 0.15, 0.10)
        cheek = 0.05 + 0.05 * max(e.smile, 0.0)
        z += cheek * _bell(side, y, 0.50, 0.48 - 0.06 * e.smile, 0.24, 0.26)
        z += 0.07 * _bell(x, y, 0.0, self.mouth_y, 0.42, 0.30)
        thick = self.identity.lip_thickness
        z += 0.035 * thick * _bell(x, y, 0.0, self.mouth_y - 0.06, 0.26, 0.05)
        z += 0.045 * thick * _bell(x, y, 0.0, self.mouth_y + self.gap + 0.08, 0.22, 0.06)
        z -= 0.03 * _bell(x, y, 0.0, self.mouth_y + self.gap + 0.20, 0.25, 0.05)
        return z + 0.08 * _bell(x, y, 0.0, self.chin_y - 0.17, 0.22, 0.15)

    def nose_relief(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Height of the nose over the face."""
        i, root = self.identity, -0.06
        s = np.clip((y - root) / (self.nose_tip_y - root), 0.0, 1.0)
        ridge = 0.24 + 0.76 * s**1.5
        ridge = ridge * np.exp(-((np.clip(root - y, 0.0, None) / 0.16) ** 2))
        below = np.clip((y - self.nose_tip_y) / (self.nose_base_y - self.nose_tip_y + 0.05), 0.0, 1.0)
        ridge = ridge * (1.0 - below**2) ** 1.5
        width = i.nose_width * (0.105 + 0.055 * s**2)
        z = 0.40 * i.nose_height * ridge * np.exp(-((np.abs(x) / width) ** 2.2))
        wing = _bell(np.abs(x), y, 0.165 * i.nose_width, self.nose_tip_y + 0.06, 0.075 * i.nose_width, 0.085)
        return z + 0.15 * i.nose_height * wing

    def on_skin(self, x: np.ndarray, y: np.ndarray, lift: float = 0.0) -> np.ndarray:
        """Points of the skin, ``lift`` above it: ``[n, 3]``."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        return np.stack([x, y, self.depth(x, y) + lift], axis=-1)

    def lid(self, side: int, upper: bool, s: np.ndarray) -> np.ndarray:
        """A lid's edge; ``s`` runs from the outer corner (0) to the inner corner (1)."""
        i, s = self.identity, np.asarray(s, float)
        x = self.eye_x + self.eye_half * (1.0 - 2.0 * s)
        y = i.eye_tilt * (2.0 * s - 1.0) + 0.012
        openness = self.expression.eye_open[0 if side == LEFT else 1]
        high, low = 0.115 * i.eye_height, 0.065 * i.eye_height
        if upper:
            y = y - (high * openness - 0.85 * low * max(1.0 - openness, 0.0)) * _arch(s, 0.75)
        else:
            y = y + low * (1.0 - 0.12 * (1.0 - min(openness, 1.0))) * _arch(s, 0.85)
        return self.on_skin(side * x, y)

    def eye_centre(self, side: int) -> np.ndarray:
        """The middle of the lids' opening, which the gaze does not move: ``[3]``."""
        return self._eye_centres[side]

    def _find_eye_centre(self, side: int) -> np.ndarray:
        mid = np.array([0.5])
        return 0.5 * (self.lid(side, True, mid)[0] + self.lid(side, False, mid)[0])

    def pupil(self, side: int) -> np.ndarray:
        """Where the pupil is, ``[3]``; in a shut eye it stays between the lids."""
        return self._pupils[side]

    def _find_pupil(self, side: int) -> np.ndarray:
        centre = self.eye_centre(side)
        openness = min(self.expression.eye_open[0 if side == LEFT else 1], 1.0)
        gaze_x, gaze_y = self.expression.gaze
        x = centre[0] + gaze_x * self.eye_half
        y = centre[1] + gaze_y * 0.115 * openness
        return self.on_skin(np.array([x]), np.array([y]))[0]

    def iris(self, side: int, radius: float) -> np.ndarray:
        """Outline of a disc of ``radius`` around the pupil."""
        angle = np.linspace(0.0, 2.0 * np.pi, 32, endpoint=False)
        return self.pupil(side) + radius * np.stack([np.cos(angle), np.sin(angle), np.zeros(32)], axis=-1)

    def brow(self, side: int, upper: bool, t: np.ndarray) -> np.ndarray:
        """A brow's edge; ``t`` runs from the outer end (0) to the inner end (1)."""
        i, t = self.identity, np.asarray(t, float)
        lift = self.expression.brow_raise[0 if side == LEFT else 1]
        x = (0.78 - 0.60 * t) * i.eye_spacing - 0.03 * max(-lift, 0.0) * t
        y = -0.262 * i.brow_height - 0.085 * i.brow_arch * _arch(0.12 + 0.80 * t**0.9, 1.0) + 0.05 * (1.0 - t)
        y = y - (0.11 * lift if lift > 0 else 0.055 * lift * (0.6 + t))
        thickness = 0.085 * i.brow_thickness * np.clip(t / 0.6, 0.0, 1.0) ** 0.7
        return self.on_skin(side * x, y if upper else y + thickness)

    def _mouth_line(self, s: np.ndarray) -> np.ndarray:
        """Height of the line through the mouth's corners, bent by the smile."""
        across = 2.0 * s - 1.0
        smile = self.expression.smile
        return self.mouth_y + (0.03 - 0.12 * smile) * across**2 + self.expression.mouth_skew * -across

    def lip(self, upper: bool, inner: bool, s: np.ndarray) -> np.ndarray:
        """A lip's edge; ``s`` runs from the left corner (0) to the right corner (1)."""
        s = np.asarray(s, float)
        half = self.mouth_half * (0.86 if inner else 1.0)
        along = 0.5 + (s - 0.5) * half / self.mouth_half  # the same place on the outer lip
        y = self._mouth_line(along)
        thick = self.identity.lip_thickness
        rise = 0.12 * self.gap * _arch(s, 0.7)
        if upper:
            bow = 1.0 - 0.22 * np.exp(-(((s - 0.5) / 0.085) ** 2))
            y = y - rise - (0.0 if inner else 0.10 * thick * _arch(s, 0.9) * bow)
        else:
            y = y + self.gap * _arch(s, 0.6) + (0.0 if inner else 0.125 * thick * _arch(s, 0.8))
        return self.on_skin((2.0 * s - 1.0) * half, y)

    def nose_bridge(self, s: np.ndarray) -> np.ndarray:
        """The ridge on the midline from the root (0) to the tip (1)."""
        s = np.asarray(s, float)
        return self.on_skin(np.zeros_like(s), self.nose_tip_y * s)

    def nose_side(self, side: int) -> np.ndarray:
        """Beside the root, above the wing, and the wing's widest place: ``[3, 3]``."""
        w = self.identity.nose_width
        x = np.array([0.115, 0.17 * w, 0.235 * w])
        y = np.array([0.05, self.nose_tip_y - 0.05, self.nose_tip_y + 0.065])
        return self.on_skin(side * x, y)

    def nose_base(self, s: np.ndarray) -> np.ndarray:
        """The lower edge of the nose from the left wing (-1) to the right (1); 0 is the septum."""
        s = np.asarray(s, float)
        y = self.nose_base_y - 0.045 * np.abs(s) ** 2
        return self.on_skin(0.16 * self.identity.nose_width * s, y)
