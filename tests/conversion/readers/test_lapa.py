from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facealign.conversion.readers.base import Unusable
from facealign.conversion.readers.lapa import parse_lapa, read_lapa
from facealign.errors import FaceAlignError


def _text(points: np.ndarray) -> str:
    return '\n'.join([str(len(points)), *(f'{x:.6f} {y:.6f}' for x, y in points)]) + '\n'


def _put(root: Path, split: str, name: str, put_image: Callable[..., Path], seed: int = 0) -> np.ndarray:
    points = np.random.default_rng(seed).uniform(10, 90, (106, 2)).round(6)
    put_image(root / split / 'images' / f'{name}.jpg')
    put_image(root / split / 'labels' / f'{name}.png')
    (root / split / 'landmarks').mkdir(exist_ok=True)
    (root / split / 'landmarks' / f'{name}.txt').write_text(_text(points))
    return points


def test_its_own_layout(tmp_path: Path, put_image: Callable[..., Path]) -> None:
    points = [_put(tmp_path, s, f'1000_{i}', put_image, i) for i, s in enumerate(('train', 'val', 'test'))]
    put_image(tmp_path / 'val/images/alone.jpg')
    gathered = read_lapa(tmp_path, workers=1)
    found = {face.split: face for face in gathered.faces}
    assert [(left.file, left.reason) for left in gathered.left_out] == [('val/images/alone.jpg', 'image without .txt')]
    for split, expected in zip(('train', 'val', 'test'), points):
        assert np.array_equal(found[split].points, expected)  # 0-based as they are
        assert found[split].source == f'lapa/{split}'
    assert found['val'].file_name == 'val/images/1000_1.jpg'
    (face,) = read_lapa(tmp_path / 'test', workers=1).faces
    assert (face.split, face.file_name) == ('test', 'images/1000_2.jpg')


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('', 'not 106 points'),
        ('68\n' + '1 2\n' * 68, 'not 106 points'),
        ('106\n' + '1 2\n' * 105, 'not 106 points'),
        ('1 2\n' * 105, 'not 106 points'),
        ('106\n' + '1 2\n' * 105 + '1 2 3\n', 'unreadable landmarks'),
        ('106\n' + '1 two\n' * 106, 'unreadable landmarks'),
        ('106\n' + '1 2\n' * 105 + '1e1000000 2\n', 'farther away than any pixel'),
        ('106\n' + '1 2\n' * 105 + '1 ' + '9' * 400, 'farther away than any pixel'),
        (' ' * 2**20 + '\n', 'larger than 1 MiB'),
    ],
)
def test_a_broken_file_is_left_out(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / 'a.txt').write_text(text)
    with pytest.raises(Unusable, match=reason):
        parse_lapa(tmp_path / 'a.txt')


def test_line_ends_and_missing_points(tmp_path: Path) -> None:
    (tmp_path / 'a.txt').write_bytes(b'106\r\n' + b'1.5 2\r\n' * 105 + b'nan 3\r\n')
    points = parse_lapa(tmp_path / 'a.txt').points
    assert points[0].tolist() == [1.5, 2] and np.isnan(points[105]).all()
    with pytest.raises(Unusable, match='unreadable'):
        parse_lapa(tmp_path)


def test_no_such_layout(tmp_path: Path, put_image: Callable[..., Path]) -> None:
    put_image(tmp_path / 'images/a.jpg')
    with pytest.raises(FaceAlignError, match='no annotated face found'):
        read_lapa(tmp_path)


@pytest.mark.parametrize('form', ['\ufeff106\n{}', '{}', '106\r\n{}', '106\n\n{}\n\n'])
@pytest.mark.parametrize('comma', [' ', ',', ', '])
def test_other_spellings_of_the_same_points(tmp_path: Path, form: str, comma: str) -> None:
    points = np.random.default_rng(0).uniform(0, 99, (106, 2)).round(3)
    (tmp_path / 'a.txt').write_text(form.format('\n'.join(f'{x}{comma}{y}' for x, y in points.tolist())), newline='')
    assert np.array_equal(parse_lapa(tmp_path / 'a.txt').points, points)
