"""Reading the project's JSON: what was written comes back, and whatever is wrong is named by its place."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.errors import FaceAlignError
from facealign.io.coco import write_coco
from facealign.io.coco_reader import read_coco
from facealign.markup import IBUG68
from facealign.structures.records import FaceRecord, Original


def _faces(count: int) -> list[FaceRecord]:
    faces = []
    for i in range(count):
        points = np.random.default_rng(i).uniform(-10, 110, (68, 2)).round(3)
        points[i % 60 : i % 60 + 3] = np.nan
        face = FaceRecord(Path('/data'), f'a/é{i // 2}.jpg', points, (120, 100), 'src', 'train', 'common', 'p1')
        if i % 3:
            face.face_box, face.face_score = np.array([5.5, 6, 95, 96.25]), 1.5
        if i % 2:
            face.original = Original('b.png', (200, 150), np.array([[2.0, 0, 10.5], [0, 2, 20.5]]))
        face.occluded = np.arange(68) == 67
        face.attributes = {'glasses': 'yes'}
        faces.append(face)
    return faces


def _write(path: Path, count: int = 3) -> dict[str, Any]:
    with open(path, 'w', encoding='utf-8') as file:
        write_coco(file, _faces(count), IBUG68, split='train', boxes='dlib-hog', image_root='../images')
    return json.loads(path.read_bytes())


@pytest.mark.parametrize('count', [0, 1, 5, 2050])
def test_what_was_written_comes_back(tmp_path: Path, count: int) -> None:
    document = _write(tmp_path / 'train.json', count)
    coco = read_coco(tmp_path / 'train.json')
    assert coco.markup is IBUG68 and coco.root == tmp_path.parent / 'images'
    assert [annotation['keypoints'].ravel().tolist() for annotation in coco.annotations] == [
        annotation['keypoints'] for annotation in document['annotations']
    ]
    for annotation in (*coco.annotations, *document['annotations']):
        del annotation['keypoints']
    assert coco.document == document


def test_records_are_the_faces(tmp_path: Path) -> None:
    _write(tmp_path / 'train.json', 7)
    records = read_coco(tmp_path / 'train.json').records()
    for face, record in zip(_faces(7), records, strict=True):
        assert (record.file_name, record.size, record.source) == (face.file_name, face.size, face.source)
        np.testing.assert_array_equal(record.points, face.points)
        assert (record.face_box is None) == (face.face_box is None)
        if face.face_box is not None:
            np.testing.assert_allclose(record.face_box, face.face_box)


def test_annotations_are_taken_once_and_in_order(tmp_path: Path) -> None:
    _write(tmp_path / 'train.json', 5)
    coco = read_coco(tmp_path / 'train.json')
    taken = [(annotation['id'], image['id']) for annotation, image in coco.take_annotations()]
    assert taken == [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)] and coco.annotations == []


_WRONG = [
    ('info.markup', 'ibug99', 'info.markup: no markup'),
    ('info.markup', 7, 'info.markup: 7'),
    ('info.image_root', 'a\0', 'info.image_root'),
    ('images.0.id', True, r'images\[0\].id: True'),
    ('images.1.id', 1, r'images\[1\].id: 1 is there twice'),
    ('images.0.file_name', '../a.jpg', r'images\[0\].file_name'),
    ('images.0.file_name', '/etc/passwd', r'images\[0\].file_name'),
    ('images.0.file_name', 'C:\\a.jpg', r'images\[0\].file_name'),
    ('images.0.file_name', '', r'images\[0\].file_name'),
    ('images.0.width', 0, r'images\[0\].width'),
    ('images.0.height', 1.5, r'images\[0\].height'),
    ('images.0.width', 10**30, r'images\[0\].width'),
    ('images.0.subset', [], r'images\[0\].subset'),
    ('images.0.to_original', [[1, 2, 3]], r'images\[0\].to_original'),
    ('images.0.original_size', [0, 5], r'images\[0\].original_size'),
    ('annotations.0', 1, r'annotations\[0\]: 1 is not an object'),
    ('annotations.2.id', 1, r'annotations\[2\].id: 1 is there twice'),
    ('annotations.2.image_id', 99, r'annotations\[2\].image_id: 99 is no id'),
    ('annotations.2.image_id', [1], r'annotations\[2\].image_id: a list of 1'),
    ('annotations.1.keypoints', None, r'annotations\[1\].keypoints: None, not a list of 204'),
    ('annotations.1.keypoints', [1, 2], r'annotations\[1\].keypoints: 2 values, not 204'),
    ('annotations.1.keypoints.7', '5', r"annotations\[1\].keypoints: '5' is not a number"),
    ('annotations.1.keypoints.7', None, r'annotations\[1\].keypoints: None is not a number'),
    ('annotations.1.keypoints.7', 10**400, r'annotations\[1\].keypoints: a number of many digits'),
    ('annotations.1.keypoints.7', 1e300, r'annotations\[1\].keypoints: 1e\+300'),
    ('annotations.1.keypoints.7', [[]], r'annotations\[1\].keypoints: a list of 1'),
    ('annotations.1.keypoints.8', 3, r'annotations\[1\].keypoints: a visibility'),
    ('annotations.1.keypoints', [0] * 204, r'annotations\[1\].keypoints: face 2 has no annotated point'),
    ('annotations.1.bbox', [1, 2, 3], r'annotations\[1\].bbox: 3 values, not 4'),
    ('annotations.1.bbox', [1, 2, 3, -4], r'annotations\[1\].bbox: width or height is negative'),
    ('annotations.1.face_bbox', '1234', r"annotations\[1\].face_bbox: '1234', not a list"),
    ('annotations.1.face_bbox', dict(a=1, b=2, c=3, d=4), r'annotations\[1\].face_bbox'),
    ('annotations.1.face_score', 'high', r'annotations\[1\].face_score'),
    ('annotations.1.attributes', ['a'], r'annotations\[1\].attributes'),
    ('annotations.1.attributes', dict(a=[1]), r'annotations\[1\].attributes'),
    ('annotations.1.more', [[[[[[[[[1]]]]]]]]], r'annotations\[1\]: .more. is nested too deeply'),
    ('annotations.1.area', '@1e999@', r'annotations\[1\]: .area. is nested too deeply or holds an infinite number'),
    ('licenses', ['@1e999@'], 'the file: .licenses. is nested too deeply or holds an infinite number'),
]


def _set(document: Any, place: str, value: Any) -> None:
    *parts, last = (int(part) if part.isdigit() else part for part in place.split('.'))
    for part in parts:
        document = document[part]
    document[last] = value


@pytest.mark.parametrize(('place', 'value', 'message'), _WRONG, ids=lambda value: str(value)[:30])
def test_what_is_wrong_is_named_by_its_place(tmp_path: Path, place: str, value: Any, message: str) -> None:
    path = tmp_path / 'train.json'
    document = _write(path, 5)
    _set(document, place, value)
    path.write_text(json.dumps(document).replace('"@1e999@"', '1e999'))
    with pytest.raises(FaceAlignError, match=message) as caught:
        read_coco(path)
    assert str(path) in str(caught.value)


def test_without_a_markup_it_says_why_that_matters(tmp_path: Path) -> None:
    path = tmp_path / 'train.json'
    document = _write(path)
    del document['info']['markup']
    path.write_text(json.dumps(document))
    with pytest.raises(FaceAlignError, match='info.markup: missing, so that the numbering of the points is not known'):
        read_coco(path)


def test_what_other_tools_add_and_double_keys_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / 'train.json'
    document = _write(path)
    document['annotations'][0]['segmentation'] = [[1, 2, 3, 4]]
    document['more'] = dict(a=[1])
    text = json.dumps(document)
    path.write_text(text.replace('"iscrowd": 0', '"iscrowd": 0, "iscrowd": 0'))
    assert read_coco(path).document.keys() == document.keys()


_odd = st.sampled_from(
    [None, True, 0, -1, 1e308, 10**400, '', 'x', '\x1b[31m\n', 'a\0', [], {}, [None], [[1]], {'a': 1}, [1e999]]
).map(copy.deepcopy)


@given(st.data())
def test_any_change_is_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / 'odd.json'
    document = _write(path)
    for _ in range(data.draw(st.integers(1, 2))):
        node, key = document, None
        while isinstance(node, dict | list) and node and (key is None or data.draw(st.integers(0, 3))):
            parent = node
            key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
            node = parent[key]
        if key is not None:
            parent[key] = copy.deepcopy(data.draw(_odd))  # the next change may be inside it
    path.write_text(json.dumps(document))
    try:
        coco = read_coco(path)
    except FaceAlignError as error:
        assert str(error).isprintable() and len(str(error)) < 500
    else:
        for record in coco.records():
            assert record.points.shape == (68, 2) and record.annotated.any()
            assert np.isfinite(record.landmark_box).all()
