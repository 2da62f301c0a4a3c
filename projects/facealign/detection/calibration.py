"""What a detector's box says about the face in it: where the rectangle of its points will be.

Landmark models are trained on crops around that rectangle, and every detector
draws its boxes differently. ``calibration.json`` holds for each the shift and the
size that fit the training faces best; ``tools/fit_box_rules.py`` measures them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from facealign.errors import FaceAlignError

_TABLE = Path(__file__).with_name('calibration.json')


@dataclass(frozen=True)
class BoxRule:
    """A detector's box → the rectangle of the face's points, all in units of the box.

    Attributes:
        shift: (x, y) from the box's centre to the rectangle's, in box widths and heights.
        size: (width, height) of the rectangle, in box widths and heights.
        passes: how often the network runs; each further pass cuts its crop from
            the points of the one before. For boxes that say little.
    """

    shift: tuple[float, float] = (0.0, 0.0)
    size: tuple[float, float] = (1.0, 1.0)
    passes: int = 1

    def rectangle(self, boxes: np.ndarray) -> np.ndarray:
        """Boxes [N, 4 or more] x1, y1, x2, y2 → rectangles [N, 4].

        >>> BoxRule(shift=(0.0, 0.1), size=(0.5, 1.0)).rectangle(np.array([[0, 0, 100, 100]])).tolist()
        [[25.0, 10.0, 75.0, 110.0]]
        """
        boxes = np.asarray(boxes, dtype=float)
        sides = boxes[:, 2:4] - boxes[:, :2]
        centre = (boxes[:, :2] + boxes[:, 2:4]) / 2 + sides * self.shift
        return np.concatenate([centre - sides * self.size / 2, centre + sides * self.size / 2], axis=1)


@cache
def box_rules() -> dict[str, BoxRule]:
    """The rules by detector; ``landmarks`` and ``boxes`` take a box for such a rectangle."""
    table = json.loads(_TABLE.read_text(encoding='utf-8'))
    rules = {
        name: BoxRule(tuple(rule['shift']), tuple(rule['size']), rule.get('passes', 1))  # type: ignore[arg-type]
        for name, rule in table.items()
    }
    return {'landmarks': BoxRule(), 'boxes': BoxRule(), **rules}


def get_box_rule(name: str) -> BoxRule:
    """The rule called ``name``. Raises FaceAlignError where there is none."""
    if name not in box_rules():
        raise FaceAlignError(f'box rule {name}: there is none; there are: {", ".join(sorted(box_rules()))}')
    return box_rules()[name]


def rule_of_detector(name: str) -> BoxRule:
    """The rule for a detector's boxes; one that was never measured gets a second pass instead."""
    return box_rules().get(name, BoxRule(passes=2))
