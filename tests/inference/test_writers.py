"""Result files, read back by what others read them with."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest

from facealign.errors import FaceAlignError
from facealign.inference.file_content import file_state
from facealign.inference.journal import Journal
from facealign.inference.sources import Source, find_sources
from facealign.inference.writers import FORMATS, TABLES, csv_header, record_of, write_faces, write_table
from facealign.io.pts import read_pts
from facealign.markup import IBUG68
from facealign.structures.face import Face

POINTS = np.random.default_rng(0).uniform(-5, 300, (2, 68, 2)).round(2)
SCORES = np.random.default_rng(1).uniform(0, 1, (2, 68)).round(3)
FACES = [
    Face(POINTS[0], SCORES[0], np.array([1.0, 2, 30, 40]), 0.75, IBUG68),
    Face(POINTS[1], SCORES[1], np.array([5.0, 6, 70, 80]), float('nan'), IBUG68),
]


def records():
    yield record_of('a/b.jpg', FACES)
    yield record_of('empty.jpg', [])
    yield record_of(
        'clip.mp4',
        [Face(POINTS[0], SCORES[0], np.arange(4.0), 1.0, IBUG68, track=3, turned=90, doubtful=True)],
        12,
        0.48,
    )
    yield record_of('clip.mp4', [], 13, 0.52)
    yield dict(file='=broken.jpg', error='=broken.jpg: empty file')


def write(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / TABLES[kind]
    write_table(path, kind, records(), IBUG68, dict(model='tiny'))
    return path


def test_json(tmp_path: Path) -> None:
    found = json.loads(write(tmp_path, 'json').read_text())
    assert (found['model'], found['markup']) == ('tiny', 'ibug68')
    assert [image['file'] for image in found['images']] == ['a/b.jpg', 'empty.jpg', 'clip.mp4', 'clip.mp4']
    assert found['failures'] == [dict(file='=broken.jpg', error='=broken.jpg: empty file')]
    one, two = found['images'][0]['faces']
    np.testing.assert_array_equal(one['points'], POINTS[0])
    np.testing.assert_array_equal(one['scores'], SCORES[0])
    assert (one['box'], one['score'], two['score']) == ([1, 2, 30, 40], 0.75, None)
    assert found['images'][1]['faces'] == []
    assert {'frame': 12, 'time': 0.48}.items() <= found['images'][2].items()
    assert found['images'][2]['faces'][0]['track'] == 3


def test_csv(tmp_path: Path) -> None:
    with open(write(tmp_path, 'csv'), newline='') as file:
        rows = list(csv.DictReader(file, strict=True))
    assert [(row['image'], row['face'], row['frame'], row['time'], row['track']) for row in rows] == [
        ('a/b.jpg', '0', '', '', ''),
        ('a/b.jpg', '1', '', '', ''),
        ('empty.jpg', '', '', '', ''),
        ('clip.mp4', '0', '12', '0.48', '3'),
        ('clip.mp4', '', '13', '0.52', ''),
        ('./=broken.jpg', '', '', '', ''),
    ]
    assert [row['error'] for row in rows] == ['', '', '', '', '', './=broken.jpg: empty file']
    assert len(rows[0]) == len(csv_header(IBUG68)) == 13 + 3 * 68
    assert [float(rows[1][f'box_{side}']) for side in ('x1', 'y1', 'x2', 'y2')] == [5, 6, 70, 80]
    assert (rows[0]['box_score'], rows[2]['x0'], rows[2]['box_x1']) == ('0.75', '', '')
    assert [(row['turned'], row['doubtful']) for row in rows[:4]] == [('0', '0'), ('0', '0'), ('', ''), ('90', '1')]
    points = [[float(rows[1][f'{axis}{i}']) for axis in 'xy'] for i in range(68)]
    np.testing.assert_array_equal(points, POINTS[1])
    assert float(rows[0]['score67']) == SCORES[0, 67]


def test_alphapose(tmp_path: Path) -> None:
    """The fields of the 106-point system: image_id, category_id, keypoints as x, y, score, and score."""
    found = json.loads(write(tmp_path, 'alphapose').read_text())
    names = ['a/b.jpg', 'a/b.jpg', 'empty.jpg', 'clip.mp4/000012', 'clip.mp4/000013', '=broken.jpg']
    assert [entry['image_id'] for entry in found] == names
    assert [(entry['keypoints'], entry['box'], entry['score']) for entry in found[4:]] == [([], [], 0)] * 2
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
    write_faces(tmp_path / 'sub' / 'x', 'pts', faces[:1])  # the second is gone
    assert sorted(file.name for file in (tmp_path / 'sub').iterdir()) == ['x.npy', 'x.pts']
    for kind in ('pts', 'npy'):
        write_faces(tmp_path / 'sub' / 'x', kind, [])
    assert list((tmp_path / 'sub').iterdir()) == []


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
    return Source(path, str(path), path.name, path.stem, 'image', path.name)


def test_a_journal_goes_on_where_it_was(tmp_path: Path) -> None:
    image, other = tmp_path / 'x.jpg', tmp_path / 'y.jpg'
    image.write_bytes(b'1')
    journal = Journal(tmp_path / 'out', dict(model='a'))
    journal.enter([source(image), source(other)])
    assert not journal.is_done(source(image))
    journal.add(source(image), [dict(file='x.jpg', faces=[])], file_state(image))

    def interrupted():
        yield dict(file='y.jpg', faces=[])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        journal.add(source(other), interrupted())
    journal.close()
    again = Journal(tmp_path / 'out', dict(model='a'))
    assert again.is_done(source(image)) and not again.is_done(source(image), 'other boxes')
    assert list(again.table()) == [dict(file='x.jpg', faces=[])]
    image.write_bytes(b'changed')
    assert not again.is_done(source(image))
    again.add(source(image), [dict(file='x.jpg', faces=[1])], file_state(image))
    assert list(again.table()) == [dict(file='x.jpg', faces=[1])]
    again.add(source(image), [dict(file='x.jpg', faces=[1])], file_state(image), problem=lambda: 'half of it')
    assert not again.is_done(source(image))
    assert list(again.table())[1:] == [dict(file='x.jpg', error='half of it')]
    again.close()
    with pytest.raises(FaceAlignError, match=r'other settings \(model\).*--restart'):
        Journal(tmp_path / 'out', dict(model='b'))
    anew = Journal(tmp_path / 'out', dict(model='b'), restart=True)
    assert anew.is_stale
    anew.forget()
    assert list(anew.table()) == []


def test_what_a_file_is_counts_not_when_it_is_from(tmp_path: Path) -> None:
    """Size and time of change can be the same for another picture; a touched file can be the same picture."""
    image = tmp_path / 'x.jpg'
    image.write_bytes(b'one')
    journal = Journal(tmp_path / 'out', {})
    journal.enter([source(image)])
    journal.add(source(image), [], file_state(image))
    os.utime(image, ns=(1, 1))
    assert journal.is_done(source(image))
    time.sleep(0.02)  # file systems keep the time of change to a few milliseconds
    image.write_bytes(b'two')
    os.utime(image, ns=(1, 1))
    assert not journal.is_done(source(image))
    journal.fail(source(image), 'broken')
    image.unlink()
    assert journal.failures() == [('x.jpg', 'broken')]
    journal.enter([])
    assert journal.failures() == []


def test_while_a_file_cannot_be_read_its_results_stay(tmp_path: Path) -> None:
    image = tmp_path / 'x.jpg'
    image.write_bytes(b'one')
    journal = Journal(tmp_path / 'out', {})
    journal.enter([source(image)])
    journal.add(source(image), [dict(file='x.jpg', faces=[])], file_state(image))
    image.unlink()
    journal.fail(source(image), 'cannot be read')
    assert list(journal.table()) == [dict(file='x.jpg', faces=[])]


def test_a_journal_that_is_none(tmp_path: Path) -> None:
    (tmp_path / '.facealign.sqlite').write_text('no database, but long enough to be taken for one ' * 40)
    with pytest.raises(FaceAlignError, match='--restart'):
        Journal(tmp_path, {})
    assert list(Journal(tmp_path, {}, restart=True).table()) == []


def test_a_journal_of_an_earlier_version(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / '.facealign.sqlite').executescript('create table done (name text)')
    with pytest.raises(FaceAlignError, match='another version.*--restart'):
        Journal(tmp_path, {})
    assert list(Journal(tmp_path, {}, restart=True).table()) == []


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
    assert [s.stem for s in find_sources([str(tmp_path / 'a' / 'x.png')])] == ['x.png']  # alone too
    kinds = [s.kind for s in find_sources([str(tmp_path / 'b' / 'clip.mp4'), 'webcam', 'webcam:2'])]
    assert kinds == ['video', 'camera', 'camera']
    (tmp_path / 'none').mkdir()
    for bad in ('none', 'nothing*.jpg', 'missing.jpg'):
        with pytest.raises(FaceAlignError, match='without images|no such file'):
            names(bad)
