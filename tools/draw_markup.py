"""Draw the pictures that explain the points: a numbered face for each markup, and a sheet of sample faces.

Example:
    python tools/draw_markup.py --out docs/images
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from facealign.errors import run_command
from facealign.markup import DATATANG106, IBUG68, convert_points, get_markup
from facealign.synthetic.render import portrait, random_face
from facealign.utils.files import atomic_write_bytes
from facealign.utils.help_text import HelpFormatter
from facealign.utils.terminal import say
from facealign.visualization.drawing import REGION_COLOURS, draw_face, draw_legend, tile
from facealign.visualization.text import draw_text, text_size

_PORTRAIT = 1200  # pixels
_COUNTING = {
    'ibug68': 'Numbered from 0, as in code; iBUG counts them from 1: its point 1 is 0 here.',
    'lapa106': "Numbered from 0, as in code and in LaPa's own order.",
    'datatang106': "Numbered from 0, as in code; the ids in Datatang's files count from 1.",
}


def markup_picture(name: str) -> np.ndarray:
    """The numbered points of a markup on a drawn face, BGR."""
    face, markup = portrait(_PORTRAIT), get_markup(name)
    points = face.points68 if markup is IBUG68 else convert_points(face.points106, DATATANG106, markup)
    pale = cv2.addWeighted(face.image, 0.72, np.full_like(face.image, 255), 0.28, 0.0)
    picture = draw_face(pale, points, markup, numbers=True)
    draw_legend(picture, REGION_COLOURS)
    return np.concatenate([picture, _caption(f'{name}. {_COUNTING[name]}', picture.shape[1])])


def _caption(text: str, width: int) -> np.ndarray:
    band = np.full((64, width, 3), 255, np.uint8)
    height = 19.0 * min(1.0, 0.95 * width / text_size(text, 19.0)[0])
    draw_text(band, text, ((width - text_size(text, height)[0]) / 2, 43), height, (40, 40, 40), halo=None)
    return band


def sample_sheet() -> np.ndarray:
    """A sheet of sample faces, the lower half with their points, BGR."""
    faces = [random_face((1, i)) for i in range(18)]
    pictures = [face.image for face in faces[:9]]
    pictures += [draw_face(face.image, face.points68, IBUG68) for face in faces[9:12]]
    pictures += [draw_face(face.image, face.points106, DATATANG106) for face in faces[12:]]
    return tile(pictures, 6, cell=220)


def _write(path: Path, image: np.ndarray) -> None:
    atomic_write_bytes(path, cv2.imencode('.png', image, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes())
    say(f'written: {path}')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    parser.add_argument('--out', type=Path, default=Path('docs/images'), help='folder (default %(default)s)')
    out = parser.parse_args().out
    for name in _COUNTING:
        _write(out / f'markup_{name}.png', markup_picture(name))
    _write(out / 'sample_faces.png', sample_sheet())


if __name__ == '__main__':
    run_command(main)
