from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from xtcocotools.coco import COCO as XtCOCO

from facealign.io.coco import relative_root, write_coco
from facealign.markup import IBUG68
from facealign.structures.records import FaceRecord, Original


def _faces() -> list[FaceRecord]:
    points = np.random.default_rng(0).uniform(10, 90, (2, 68, 2)).round(3)
    points[0, 3] = np.nan
    first = FaceRecord(Path('/data'), 'a/é.jpg', points[0], (120, 100), 'test', 'train', 'common', 'p1')
    first.face_box, first.face_score = np.array([5.5, 6, 95, 96.25]), 1.5
    first.occluded = np.arange(68) == 7
    first.attributes = {'glasses': 'yes'}
    second = FaceRecord(Path('/data'), 'a/é.jpg', points[1], (120, 100), 'test', 'train', 'common', 'p1')
    third = FaceRecord(Path('/data'), 'b.jpg', points[1] / 2, (60, 50), 'test', 'train', 'common', 'p2')
    third.original = Original('b.png', (200, 150), np.array([[2.0, 0, 10.5], [0, 2, 20.5]]))
    return [first, second, third]


def _text(faces: list[FaceRecord]) -> str:
    buffer = io.StringIO()
    write_coco(buffer, faces, IBUG68, split='train', boxes='dlib-hog', image_root='images')
    return buffer.getvalue()


def test_what_is_written() -> None:
    faces = _faces()
    coco = json.loads(_text(faces))
    assert coco['info']['markup'] == 'ibug68' and coco['info']['boxes'] == 'dlib-hog'
    assert [image['file_name'] for image in coco['images']] == ['a/é.jpg', 'b.jpg']
    assert [a['image_id'] for a in coco['annotations']] == [1, 1, 2]
    assert [a['id'] for a in coco['annotations']] == [1, 2, 3]
    for face, annotation in zip(faces, coco['annotations']):
        keypoints = np.array(annotation['keypoints']).reshape(68, 3)
        assert keypoints[:, 2].tolist() == face.keypoints_visible.tolist()
        assert np.array_equal(keypoints[:, :2], np.nan_to_num(face.points))
        x, y, w, h = annotation['bbox']
        low, high = np.nanmin(face.points, axis=0), np.nanmax(face.points, axis=0)
        assert [x, y, x + w, y + h] == pytest.approx([*low, *high])
        assert annotation['area'] == pytest.approx(w * h)
    first, second, third = coco['annotations']
    assert first['face_bbox'] == [5.5, 6, 89.5, 90.25] and first['face_score'] == 1.5
    assert first['num_keypoints'] == 67 and first['keypoints'][7 * 3 + 2] == 1
    assert first['keypoints'][3 * 3 : 3 * 3 + 3] == [0, 0, 0]
    assert first['attributes'] == {'glasses': 'yes'} and 'attributes' not in second
    assert second['face_bbox'] is None and second['face_score'] is None
    assert coco['images'][1]['to_original'] == [[2, 0, 10.5], [0, 2, 20.5]]
    assert coco['images'][1]['original_size'] == [200, 150]
    assert coco['categories'][0]['keypoints'] == list(IBUG68.keypoint_names)


def test_the_same_faces_give_the_same_bytes() -> None:
    assert _text(_faces()) == _text(_faces())


def test_no_faces_give_valid_json() -> None:
    assert json.loads(_text([]))['annotations'] == []


@pytest.mark.parametrize('loader', [COCO, XtCOCO])
def test_the_field_s_own_readers_load_it(tmp_path: Path, loader: Any) -> None:
    (tmp_path / 'train.json').write_text(_text(_faces()), encoding='utf-8')
    coco = loader(str(tmp_path / 'train.json'))
    assert coco.getImgIds() == [1, 2] and coco.getCatIds() == [1]
    assert len(coco.loadAnns(coco.getAnnIds(imgIds=[1]))) == 2
    edges = np.array(coco.loadCats([1])[0]['skeleton'])
    assert edges.min() == 1 and edges.max() == 68  # COCO counts them from 1


def test_relative_root(tmp_path: Path) -> None:
    (tmp_path / 'data/out').mkdir(parents=True)
    assert relative_root(tmp_path / 'data/out/images', tmp_path / 'data/out') == 'images'
    assert relative_root(tmp_path / 'faces', tmp_path / 'data/out') == '../../faces'
