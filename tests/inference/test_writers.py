"""Result files, read back by what others read them with."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from facealign.errors import FaceAlignError
from facealign.inference.face import Face
from facealign.inference.journal import Journal
from facealign.inference.sources import Source, find_sources
from facealign.inference.writers import FORMATS, TABLES, record_of, write_faces, write_table
from facealign.io.pts import read_pts
from facealign.markup import IBUG68

POINTS = np.random.default_rng(0).uniform(-5, 300, (2, 68, 2)).round(2)
SCORES = np.random.default_rng(1).uniform(0, 1, (2, 68)).round(3)
FACES = [
    Face(POINTS[0], SCORES[0], np.array([1.0, 2, 30, 40]), 0.75, IBUG68),
    Face(POINTS[1], SCORES[1], np.array([5.0, 6, 70, 80]), float('nan'), IBUG68),
]


def records():
    yield record_of('a/b.jpg', FACES)
    yield record_of('empty.jpg', [])
    yield record_of('clip.mp4', [Face(POINTS[0], SCORES[0], np.arange(4.0), 1.0, IBUG68, track=3)], 12, 0.48)


def write(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / TABLES[kind]
    write_table(path, kind, records(), IBUG68, dict(model='tiny'))
    return path


def test_json(tmp_path: Path) -> None:
    found = json.loads(write(tmp_path, 'json').read_text())
    assert (found['model'], found['markup']) == ('tiny', 'ibug68')
    assert [image['file'] for image in found['images']] == ['a/b.jpg', 'empty.jpg', 'clip.mp4']
    one, two = found['images'][0]['faces']
    np.testing.assert_array_equal(one['points'], POINTS[0])
    np.testing.assert_array_equal(one['scores'], SCORES[0])
    assert (one['box'], one['score'], two['score']) == ([1, 2, 30, 40], 0.75, None)
    assert found['images'][1]['faces'] == []
    assert {'frame': 12, 'time': 0.48}.items() <= found['images'][2].items()
    assert found['images'][2]['faces'][0]['track'] == 3


def test_csv(tmp_path: Path) -> None:
    with open(write(tmp_path, 'csv'), newline='') as file:
        rows = list(csv.DictReader(file))
    assert [(row['image'], row['face'], row['frame'], row['track']) for row in rows] == [
        ('a/b.jpg', '0', '', ''),
        ('a/b.jpg', '1', '', ''),
        ('clip.mp4', '0', '12', '3'),
    ]
    points = [[float(rows[1][f'{axis}{i}']) for axis in 'xy'] for i in range(68)]
    np.testing.assert_array_equal(points, POINTS[1])
    assert float(rows[0]['score67']) == SCORES[0, 67]


def test_alphapose(tmp_path: Path) -> None:
    """The fields of the 106-point system: image_id, category_id, keypoints as x, y, score, and score."""
    found = json.loads(write(tmp_path, 'alphapose').read_text())
    assert [entry['image_id'] for entry in found] == ['a/b.jpg', 'a/b.jpg', 'clip.mp4/000012']
    assert all(entry['category_id'] == 1 for entry in found)
    np.testing.assert_array_equal(np.reshape(found[0]['keypoints'], (68, 3)), np.column_stack([POINTS[0], SCORES[0]]))
    assert found[0]['score'] == pytest.approx(SCORES[0].mean(), abs=1e-4)


def test_pts_and_npy(tmp_path: Path) -> None:
    faces = record_of('x.jpg', FACES)['faces']
    write_faces(tmp_path / 'sub' / 'x', 'pts', faces)
    write_faces(tmp_path / 'sub' / 'x', 'npy', faces)
    np.testing.assert_array_equal(read_pts(tmp_path / 'sub' / 'x.pts'), POINTS[0])
    np.testing.assert_array_equal(read_pts(tmp_path / 'sub' / 'x.2.pts'), POINTS[1])
    np.testing.assert_array_equal(np.load(tmp_path / 'sub' / 'x.npy'), np.dstack([POINTS, SCORES]))


def test_nothing_is_left_half_written(tmp_path: Path) -> None:
    def broken():
        yield from records()
        raise RuntimeError('interrupted')

    for kind in TABLES:
        write(tmp_path, kind)
        before = (tmp_path / TABLES[kind]).read_bytes()
        with pytest.raises(RuntimeError):
            write_table(tmp_path / TABLES[kind], kind, broken(), IBUG68, {})
        assert (tmp_path / TABLES[kind]).read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(TABLES.values())
    assert set(TABLES) < set(FORMATS)


def source(path: Path) -> Source:
    return Source(path, path.name, path.stem, 'image')


def test_a_journal_goes_on_where_it_was(tmp_path: Path) -> None:
    image = tmp_path / 'x.jpg'
    image.write_bytes(b'1')
    journal = Journal(tmp_path / 'out', dict(model='a'))
    assert not journal.is_done(source(image))
    journal.add(source(image), [dict(file='x.jpg', faces=[])])

    def interrupted():
        yield dict(file='y.jpg', faces=[])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        journal.add(source(tmp_path / 'y.jpg'), interrupted())
    journal.close()
    again = Journal(tmp_path / 'out', dict(model='a'))
    assert again.is_done(source(image))
    assert [r['file'] for r in again.records([source(tmp_path / 'y.jpg'), source(image)])] == ['x.jpg']
    image.write_bytes(b'changed')
    assert not again.is_done(source(image))
    again.add(source(image), [dict(file='x.jpg', faces=[1])])
    assert list(again.records([source(image)])) == [dict(file='x.jpg', faces=[1])]
    again.do_again(source(image))
    assert not again.is_done(source(image))
    again.close()
    with pytest.raises(FaceAlignError, match=r'other settings \(model\).*--restart'):
        Journal(tmp_path / 'out', dict(model='b'))
    assert list(Journal(tmp_path / 'out', dict(model='b'), restart=True).records([source(image)])) == []


def test_a_journal_that_is_none(tmp_path: Path) -> None:
    (tmp_path / '.facealign.sqlite').write_text('no database, but long enough to be taken for one ' * 40)
    with pytest.raises(FaceAlignError, match='--restart'):
        Journal(tmp_path, {})


def test_sources(tmp_path: Path) -> None:
    for name in (
        'a/x.jpg',
        'a/x.png',
        'a/deep/y.JPG',
        'b/x.jpg',
        'b/clip.mp4',
        'b/notes.md',
        'b/.hidden.jpg',
        'out/z.jpg',
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b'')

    def names(*inputs: str) -> list[str]:
        return [s.name for s in find_sources([str(tmp_path / i) for i in inputs], tmp_path / 'out')]

    assert names('.') == ['a/deep/y.JPG', 'a/x.jpg', 'a/x.png', 'b/clip.mp4', 'b/x.jpg']
    assert names('a', 'a/x.jpg') == ['deep/y.JPG', 'x.jpg', 'x.png']
    assert names('*/*.png') == ['x.png']
    clash = names('a/x.jpg', 'b/x.jpg')
    assert len(set(clash)) == 2 and all(name.endswith('x.jpg') for name in clash)
    (tmp_path / 'list.txt').write_text('# comment\na/x.jpg\n\nmissing.jpg\n')
    assert names('list.txt') == ['a/x.jpg', 'missing.jpg']
    stems = {s.name: s.stem for s in find_sources([str(tmp_path / 'a')])}
    assert stems == {'deep/y.JPG': 'deep/y', 'x.jpg': 'x.jpg', 'x.png': 'x.png'}
    kinds = [s.kind for s in find_sources([str(tmp_path / 'b' / 'clip.mp4'), 'webcam', 'webcam:2'])]
    assert kinds == ['video', 'camera', 'camera']
    (tmp_path / 'none').mkdir()
    for bad in ('none', 'nothing*.jpg', 'missing.jpg'):
        with pytest.raises(FaceAlignError, match='without images|no such file'):
            names(bad)
