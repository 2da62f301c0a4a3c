"""What comes out: one face with its points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facealign.markup import Markup

# Of a face's mean score. On 300W's 201 validation faces, by the landmark rectangle: upright, none has less than 0.80
# (lite68) and 0.86 (base68); turned by each quarter, none has 0.7 with lite68, one in 200 with base68.
DOUBTFUL = 0.7


@dataclass(frozen=True, eq=False)
class Face:
    """One aligned face.

    Attributes:
        points: [K, 2] x, y in 0-based pixels of the image as shown (EXIF applied); may lie outside it.
        scores: [K] how much each point can be trusted, 0 to 1: of an exported model the
            probability that the point lies within 5 % of the face of where an annotator puts it.
        box: [4] x1, y1, x2, y2 of the detector.
        score: the detector's own score of the box; NaN where it has none.
        markup: what each point is.
        track: number of the face in a video; None in a still image.
        turned: degrees counter-clockwise by which the image was turned to have the face upright.
        doubtful: whether the scores say that this may be no face, or not its points: their mean is
            below ``DOUBTFUL``. Never for a model whose scores are not calibrated.
    """

    points: np.ndarray
    scores: np.ndarray
    box: np.ndarray
    score: float
    markup: Markup
    track: int | None = None
    turned: int = 0
    doubtful: bool = False

    def __repr__(self) -> str:
        x1, y1, x2, y2 = self.box.round().astype(int).tolist()
        return (
            f'Face({len(self.points)} points {self.markup.name}, box=({x1}, {y1}, {x2}, {y2}), '
            f'mean score={self.scores.mean():.2f}{", doubtful" * self.doubtful})'
        )
