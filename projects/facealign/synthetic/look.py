"""What a drawn face looks like apart from its shape: colours, hair, light, things in front of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# RGB, as colour tables are usually read; everything drawn is BGR.
_SKINS = [(255, 226, 204), (246, 205, 172), (228, 180, 138), (200, 144, 102), (150, 96, 64), (104, 66, 46)]
_HAIRS = [(30, 25, 24), (58, 38, 28), (98, 64, 40), (156, 110, 64), (214, 180, 118), (150, 66, 34), (158, 156, 154)]
_DYES = [(122, 60, 142), (52, 98, 150), (196, 84, 120)]
_IRISES = [(72, 44, 26), (102, 66, 34), (66, 110, 150), (78, 118, 76), (112, 118, 124)]
_CLOTHES = [(46, 64, 96), (150, 52, 56), (70, 110, 92), (220, 214, 204), (54, 54, 60), (206, 160, 72), (120, 96, 140)]

HAIR_STYLES = ('short', 'parted', 'fringe', 'long', 'curly', 'buzz')


@dataclass(frozen=True)
class Look:
    """Colours are BGR 0–255.

    Attributes:
        hair_style: one of ``HAIR_STYLES``.
        hairline: height of the hair's edge on the forehead, head units (negative is up).
        beard: 'none', 'stubble', 'full' or 'moustache'.
        makeup: 0 none … 1 strong lips, lids and cheeks.
        glasses: 'none', 'clear' or 'sun'.
        hat: 'none', 'beanie' or 'band'.
        light: direction to the lamp, camera coordinates, unit length ``[3]``.
        ambient: 0 hard shadows … 1 none.
    """

    skin: np.ndarray
    lip: np.ndarray
    hair: np.ndarray
    iris: np.ndarray
    cloth: np.ndarray
    accent: np.ndarray
    hair_style: str
    hairline: float
    part: float
    beard: str
    makeup: float
    freckles: float
    glasses: str
    hat: str
    light: np.ndarray
    ambient: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Look:
        at = rng.uniform(0.0, len(_SKINS) - 1.001)
        low, share = int(at), at - int(at)
        skin = _bgr(_SKINS[low]) * (1 - share) + _bgr(_SKINS[low + 1]) * share + rng.normal(0, 5, 3)
        dark = at > 3.2
        makeup = float(rng.choice([0.0, rng.uniform(0.3, 1.0)], p=[0.6, 0.4]))
        pale_lip = skin * np.array([0.72, 0.66, 0.90])
        bold_lip = _bgr((178, 44, 62)) + rng.normal(0, 14, 3)
        hair = _pick(rng, _HAIRS[:2] if dark and rng.random() < 0.85 else _HAIRS) + rng.normal(0, 6, 3)
        if rng.random() < 0.05:
            hair = _pick(rng, _DYES)
        style = str(rng.choice(HAIR_STYLES, p=[0.26, 0.2, 0.16, 0.2, 0.1, 0.08]))
        bearded = makeup == 0 and style != 'long' and rng.random() < 0.4
        side, up = rng.uniform(-0.9, 0.9), rng.uniform(0.0, 0.8)
        light = np.array([side, -up, rng.uniform(0.55, 1.0)])
        return cls(
            skin=np.clip(skin, 20, 250),
            lip=pale_lip * (1 - 0.75 * makeup) + bold_lip * 0.75 * makeup,
            hair=np.clip(hair, 12, 245),
            iris=_pick(rng, _IRISES[:2] if dark else _IRISES),
            cloth=np.clip(_pick(rng, _CLOTHES) + rng.normal(0, 14, 3), 15, 245),
            accent=rng.uniform(20, 235, 3),
            hair_style=style,
            hairline=float(rng.uniform(-0.62, -0.48) if style == 'fringe' else rng.uniform(-0.92, -0.70)),
            part=float(rng.uniform(-0.6, 0.6)),
            beard=str(rng.choice(['stubble', 'full', 'moustache'], p=[0.45, 0.35, 0.2])) if bearded else 'none',
            makeup=makeup,
            freckles=float(rng.choice([0.0, rng.uniform(0.3, 1.0)], p=[0.85, 0.15])),
            glasses=str(rng.choice(['none', 'clear', 'sun'], p=[0.8, 0.16, 0.04])),
            hat=str(rng.choice(['none', 'beanie', 'band'], p=[0.86, 0.09, 0.05])),
            light=light / np.linalg.norm(light),
            ambient=float(rng.uniform(0.35, 0.75)),
        )


def _bgr(rgb: tuple[int, int, int]) -> np.ndarray:
    return np.array(rgb[::-1], float)


def _pick(rng: np.random.Generator, colours: list[tuple[int, int, int]]) -> np.ndarray:
    return _bgr(colours[int(rng.integers(len(colours)))])
