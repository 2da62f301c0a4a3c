"""All faces of an image drawn on it, with what the user asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facealign.errors import FaceAlignError
from facealign.io.pts import read_pts
from facealign.markup import Markup
from facealign.structures.boxes import choose_boxes
from facealign.structures.face import Face
from facealign.visualization.drawing import draw_face

EXTRAS = ('numbers', 'box', 'scores', 'truth')


@dataclass(frozen=True)
class Overlay:
    """What to draw besides points and outlines.

    Attributes:
        numbers: each point's number.
        box: the detector's box.
        scores: the scores, as colour and as their mean.
        truth: the annotated points, from ``NAME.pts`` or ``NAME.K.pts`` beside the image.
    """

    numbers: bool = False
    box: bool = False
    scores: bool = False
    truth: bool = False

    def draw(self, image: np.ndarray, faces: Sequence[Face], path: Path | None = None) -> np.ndarray:
        """``image`` [H, W, 3] BGR with its faces; larger where numbers need room.

        Raises:
            FaceAlignError: a .pts file beside the image cannot be read.
        """
        truths = _truths(path, faces) if self.truth and path is not None else [None] * len(faces)
        drawn = image
        for face, truth in zip(faces, truths):
            scale = drawn.shape[1] / image.shape[1]  # numbers of the face before may have enlarged it

            def enlarged(points: np.ndarray, scale: float = scale) -> np.ndarray:
                return (points + 0.5) * scale - 0.5

            drawn = draw_face(
                drawn,
                enlarged(face.points),
                face.markup,
                scores=face.scores if self.scores else None,
                box=enlarged(face.box) if self.box else None,
                truth=None if truth is None else enlarged(truth),
                numbers=self.numbers,
            )
        return drawn


def _truths(path: Path, faces: Sequence[Face]) -> list[np.ndarray | None]:
    """For each face the annotated points that lie on it."""
    files = [path.with_suffix('.pts'), *sorted(path.parent.glob(f'{_escaped(path.stem)}.*.pts'))]
    markup: Markup | None = faces[0].markup if faces else None
    annotated = []
    for file in files:
        if markup is not None and file.is_file():
            try:
                points = read_pts(file)
            except ValueError as error:
                raise FaceAlignError(f'{file}: {error}') from error
            if points.shape == (markup.num_keypoints, 2):
                annotated.append(points)
    if not annotated:
        return [None] * len(faces)
    chosen = choose_boxes(_rectangles([face.points for face in faces]), _rectangles(annotated))
    return [None if index is None else annotated[index] for index in chosen]


def _rectangles(points: list[np.ndarray]) -> np.ndarray:
    return np.array([[*np.nanmin(p, axis=0), *np.nanmax(p, axis=0)] for p in points])


def _escaped(stem: str) -> str:
    return ''.join(f'[{c}]' if c in '*?[' else c for c in stem)
