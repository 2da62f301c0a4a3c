"""Names, shares of the folders, and attributes that are true of the drawn face."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from facealign.synthetic.layout import SMALLEST, datatang_record, is_challenge, w300_name
from facealign.synthetic.render import portrait, random_face
from facealign.synthetic.shape import Expression
from facealign.synthetic.view import Pose


def test_names_are_unique_and_fill_the_official_folders() -> None:
    names = [w300_name(i) for i in range(5 * SMALLEST)]
    assert len(set(names)) == len(names)
    assert Counter(name.rpartition('/')[0] for name in names) == {
        'helen/trainset': 20,
        'lfpw/trainset': 20,
        'afw': 5,
        'helen/testset': 5,
        'lfpw/testset': 5,
        'ibug': 5,
    }
    assert {w300_name(i).partition('/')[0] for i in range(60) if is_challenge(i)} == {'ibug'}


def test_lfpw_folders_share_file_names_as_the_real_ones_do() -> None:
    names = {folder: set() for folder in ('lfpw/trainset', 'lfpw/testset')}
    for i in range(60):
        folder, _, name = w300_name(i).rpartition('/')
        if folder in names:
            names[folder].add(name)
    assert names['lfpw/testset'] < names['lfpw/trainset']
    assert sorted(names['lfpw/testset']) == [f'image_{k:04d}' for k in range(1, 6)]


def test_record_has_the_fields_of_real_files(shared) -> None:
    real = json.loads((shared / 'data' / 'datatang106' / '000001.json').read_text())
    drawn = datatang_record(random_face(0), '000001')
    assert list(drawn) == list(real)
    assert list(drawn['WorkLoad']) == list(real['WorkLoad'])
    assert drawn['Filepath'] == real['Filepath']
    assert [list(point) for point in drawn['DataList']] == [list(point) for point in real['DataList']]
    assert [point['id'] for point in drawn['DataList']] == list(range(1, 107))


def test_record_holds_the_points_and_what_is_seen_of_them() -> None:
    face = random_face((0, 1))
    record = datatang_record(face, '000002')
    points = np.array([point['coordinates'] for point in record['DataList']])
    np.testing.assert_allclose(points, face.points106, atol=5.1e-4)
    seen = [point['properties']['globaltype'] == 'visiblePoint' for point in record['DataList']]
    assert seen == face.visible106.tolist()
    assert record['WorkLoad']['occlusion'] == ('uncovered' if all(seen) else 'covered')


@pytest.mark.parametrize(('yaw', 'word'), [(0, 'forward'), (30, 'rightward'), (-30, 'leftward')])
def test_orientation(yaw: float, word: str) -> None:
    face = replace(portrait(200), pose=Pose(yaw=yaw))
    assert datatang_record(face, 'x')['WorkLoad']['orientation'] == word


def test_orientation_means_what_it_means_in_real_files(shared) -> None:
    """The nose of a 'rightward' face lies right of the middle of the cheeks, in real files and in drawn ones."""

    def nose(points: np.ndarray) -> float:
        return float((points[74, 0] - (points[0, 0] + points[32, 0]) / 2) / np.ptp(points[:, 0]))

    offsets: dict[tuple[str, str], list[float]] = {}
    for path in sorted((shared / 'data' / 'datatang106').glob('*.json'))[:150]:
        real = json.loads(path.read_text())
        points = np.array([point['coordinates'] for point in sorted(real['DataList'], key=lambda point: point['id'])])
        offsets.setdefault(('real', real['WorkLoad']['orientation']), []).append(nose(points))
    for i in range(60):
        face = random_face((4, i), 96)
        word = datatang_record(face, 'x')['WorkLoad']['orientation']
        offsets.setdefault(('drawn', word), []).append(nose(face.points106))
    middle = {key: float(np.median(values)) for key, values in offsets.items()}
    for kind in ('real', 'drawn'):
        assert middle[kind, 'leftward'] < -0.05 < middle[kind, 'forward'] < 0.05 < middle[kind, 'rightward']


def test_attributes_follow_what_was_drawn() -> None:
    face = portrait(200)
    plain = datatang_record(face, 'x')['WorkLoad']
    assert (plain['eye'], plain['mouth'], plain['glasses'], plain['cap']) == ('open', 'open', 'no', 'no')
    other = replace(
        face,
        expression=Expression(eye_open=(0.0, 0.05)),
        look=replace(face.look, glasses='sun', hat='beanie'),
    )
    changed = datatang_record(other, 'x')['WorkLoad']
    assert (changed['eye'], changed['glasses'], changed['cap']) == ('close', 'yes', 'yes')
    winking = replace(face, expression=Expression(eye_open=(0.0, 1.0)))
    assert datatang_record(winking, 'x')['WorkLoad']['eye'] == 'open'
