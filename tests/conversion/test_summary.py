from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from facealign.conversion.summary import RepeatedPhoto, print_summary, summarise, summarise_repeats
from facealign.structures.records import FaceRecord, Gathered


def _face(name: str, photo: str, split: str = 'train') -> FaceRecord:
    points = np.array([[10.0, 10], [50, 10], [10, 50], [-1, 50]])
    return FaceRecord(Path(), name, points, (100, 80), 'test', split, photo=photo)


def _summary() -> dict[str, Any]:
    faces = [_face('a.jpg', 'p'), _face('b.jpg', 'q'), _face('c.jpg', 'p', 'test')]
    faces[0].face_box = np.array([5.0, 5, 60, 60])
    faces[1].points[2] = np.nan
    faces[1].occluded = np.array([True, False, True, False])
    gathered = Gathered(faces, num_images=30, num_annotations=31, num_turned=1)
    gathered.leave_out('cut.jpg', 'truncated image')
    gathered.leave_out('odd.pts', 'not 68 points', '67 points')
    for number in range(25):
        gathered.leave_out(f'{number:02d}.jpg', 'image without .pts')
    return summarise(gathered, {'train': faces[:2], 'test': faces[2:]}, 'dlib-hog', not_listed=0)


def test_figures() -> None:
    summary = _summary()
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary['read'] == {'images': 30, 'annotations': 31}
    assert summary['left_out_count'] == 27
    assert summary['left_out']['not 68 points'] == {
        'count': 1,
        'files': ['odd.pts'],
        'details': {'odd.pts': '67 points'},
    }
    kept = summary['kept']
    assert (kept['faces'], kept['photos'], kept['detector_hits']) == (3, 2, 1)
    assert kept['detector_hit_rate'] == 1 / 3
    assert kept['share_of_points_in_face_box'] == 3 / 4  # of the faces that have a box
    assert kept['points_off_image'] == {'points': 3, 'faces': 3}
    assert kept['points_missing'] == {'points': 1, 'faces': 1}
    assert kept['points_hidden'] == 1  # a missing point is not hidden
    assert summary['photos_in_several_splits'] == ['p']
    assert summary['splits']['test']['detector_hit_rate'] == 0


def test_without_a_detector_there_is_no_rate() -> None:
    face = _face('a.jpg', 'p')
    summary = summarise(Gathered([face]), {'train': [face]}, 'landmarks', 0)
    assert summary['kept']['detector_hits'] is None and summary['kept']['detector_hit_rate'] is None
    assert summary['kept']['share_of_points_in_face_box'] is None


def test_the_table_fits_80_columns_and_names_what_is_broken() -> None:
    stream = io.StringIO()
    print_summary(_summary(), Console(file=stream, width=200))
    text = stream.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    assert 'cut.jpg' in text and 'odd.pts (67 points)' in text
    assert '02.jpg' in text and '03.jpg' not in text  # 25 of one kind are not all listed
    assert '50.0 %' in text and '1 (1 faces)' in text
    assert 'note: 1 photos have faces in more than one split' in text
    assert 'note: 1 faces lack some points' in text


def test_photos_that_occur_twice_are_named_with_their_splits() -> None:
    faces = [_face('a.jpg', 'p'), _face('b.jpg', 'p', 'test'), _face('c.jpg', 'q'), _face('[d].jpg', 'q')]
    gone = _face('left-out.jpg', 'q')
    repeats = summarise_repeats([RepeatedPhoto(faces[:2], True), RepeatedPhoto([*faces[2:], gone], False)], faces)
    assert (repeats['photos'], repeats['faces'], repeats['in_several_splits']) == (2, 4, 1)
    assert repeats['all'][1] == {'files': [['c.jpg', 'train'], ['[d].jpg', 'train']], 'mirrored': False}
    stream = io.StringIO()
    print_summary(summarise(Gathered(faces), {'train': faces}, 'landmarks', 0, repeats), Console(file=stream))
    text = ' '.join(stream.getvalue().split())
    assert '2 photos occur more than once (4 faces, 1 of them mirrored' in text
    assert '1 of these are on both sides of the split given: a.jpg (train) = b.jpg (test)' in text
