"""Pictures of one name, beside each other and from different folders: each keeps its own results."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from facealign import FaceAligner
from facealign.io.pts import read_pts

N1 = ['1.jpg', '1.jpg.jpg', '1.png', 'a/1.jpg', 'b/1.jpg', 'p.2.jpg', 'p.jpg']


@pytest.fixture
def case(shared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shared / 'cases' / '22-align-same-names', tmp_path / 'case'))


def align(run_tool, *words: object, status: int = 0) -> None:
    done = run_tool('demo.py', *words, '--format', 'json', '--format', 'csv', '--format', 'pts', '--format', 'npy')
    assert done.returncode == status, done.stderr


def expected(files: list[Path], detector: str) -> list[list[np.ndarray]]:
    """The faces of each file, found one by one."""
    aligner = FaceAligner('lite68', detector)
    return [[face.points for face in aligner(file)] for file in files]


def table(out: Path) -> dict[str, list[list]]:
    images = json.loads((out / 'landmarks.json').read_text())['images']
    return {image['file']: [face['points'] for face in image['faces']] for image in images}


def all_pts(out: Path) -> list[np.ndarray]:
    return [read_pts(file) for file in sorted(out.rglob('*.pts'))]


def test_every_picture_of_a_folder_keeps_its_points_and_its_drawing(case, run_tool, tmp_path) -> None:
    detector, out = f'boxes:{case / "n1" / "boxes.csv"}', tmp_path / 'out'
    align(run_tool, case / 'n1', '--out', out, '--detector', detector, '--model', 'lite68', '--save-images')
    truth = expected([case / 'n1' / name for name in N1], detector)
    found = table(out)
    assert list(found) == N1
    for name, faces in zip(N1, truth):
        np.testing.assert_allclose(found[name], faces, atol=0.02)
    assert [len(faces) for faces in truth] == [1, 1, 1, 1, 1, 1, 2]
    names = ['1.jpg', '1.jpg.jpg', '1.png', 'a/1', 'b/1', 'p.2.jpg', 'p']
    for name, faces in zip(names, truth):
        np.testing.assert_allclose(read_pts(out / f'{name}.pts'), faces[0], atol=0.02)
        np.testing.assert_allclose(np.load(out / f'{name}.npy')[..., :2], faces, atol=0.02)
        assert (out / 'images' / f'{name}.jpg').is_file()
    np.testing.assert_allclose(read_pts(out / 'p.2.pts'), truth[-1][1], atol=0.02)
    assert len(list(out.rglob('*.pts'))) == 8 and len(list((out / 'images').rglob('*.jpg'))) == 7


def test_a_path_above_the_list_is_another_picture(case, run_tool, tmp_path) -> None:
    out = tmp_path / 'out'
    align(run_tool, case / 'n2' / 'd' / 'list.txt', '--out', out, '--detector', 'whole', '--model', 'lite68')
    truth = expected([case / 'n2' / 'b' / '1.jpg', case / 'n2' / 'd' / 'b' / '1.jpg'], 'whole')
    found = table(out)
    assert list(found) == ['../b/1.jpg', 'b/1.jpg']
    np.testing.assert_allclose(list(found.values()), truth, atol=0.02)
    np.testing.assert_allclose(read_pts(out / '__' / 'b' / '1.pts'), truth[0][0], atol=0.02)
    np.testing.assert_allclose(read_pts(out / 'b' / '1.pts'), truth[1][0], atol=0.02)


def test_a_picture_of_the_same_name_size_and_time_from_elsewhere_is_not_done_before(case, run_tool, tmp_path) -> None:
    a, b, out = case / 'n1' / 'a' / '1.jpg', case / 'n1' / 'b' / '1.jpg', tmp_path / 'out'
    a.write_bytes(a.read_bytes().ljust(b.stat().st_size, b'\0'))
    b.write_bytes(b.read_bytes().ljust(a.stat().st_size, b'\0'))
    for path in (a, b):
        shutil.os.utime(path, (1e9, 1e9))
    words = ['--out', out, '--detector', 'whole', '--model', 'lite68']
    align(run_tool, a, *words)
    align(run_tool, b, *words)
    truth = expected([a, b], 'whole')
    assert not np.allclose(*truth, atol=1)
    np.testing.assert_allclose(list(table(out).values()), truth, atol=0.02)
    with open(out / 'landmarks.csv', newline='') as file:
        assert [row['image'] for row in csv.DictReader(file)] == ['1.jpg', str(b)]
    found = [points.tolist() for points in all_pts(out)]
    assert len(found) == 2 and found[0] != found[1]
    both = tmp_path / 'both'
    align(run_tool, a, b, '--out', both, *words[2:])
    assert (both / 'landmarks.json').read_bytes() == (out / 'landmarks.json').read_bytes()
