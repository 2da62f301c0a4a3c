from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealign.conversion.readers.base import Unusable
from facealign.conversion.readers.datatang import parse_datatang, read_datatang
from facealign.errors import FaceAlignError


def test_points_visibility_and_attributes(tmp_path: Path, datatang_json: Callable[..., dict]) -> None:
    data = datatang_json(hidden=(1, 33), without=(5,), glasses='yes', race='Asian')
    data['DataList'][8]['coordinates'] = [0, 0]  # id 10, as that system writes a missing point
    data['DataList'].reverse()
    (tmp_path / 'a.json').write_text(json.dumps(data))
    annotation = parse_datatang(tmp_path / 'a.json')
    # Point with id i stands at index i - 1; pixels are 0-based as they are.
    expected = np.array([[10 + i / 4, 20 + i / 2] for i in range(1, 107)])
    expected[[4, 9]] = np.nan
    assert np.array_equal(annotation.points, expected, equal_nan=True)
    assert annotation.occluded is not None and np.flatnonzero(annotation.occluded).tolist() == [0, 32]
    assert annotation.attributes == {'glasses': 'yes', 'race': 'Asian'}


def _change(**keys: Any) -> Callable[[dict], object]:
    return lambda data: data['DataList'][3].update(keys)


@pytest.mark.parametrize(
    ('change', 'reason', 'detail'),
    [
        (_change(id=107), 'mis-numbered JSON', 'id 107 is not 1 to 106'),
        (_change(id=0), 'mis-numbered JSON', 'id 0'),
        (_change(id='4'), 'mis-numbered JSON', "id '4'"),
        (_change(id=None), 'mis-numbered JSON', 'id None'),
        (_change(id=3), 'mis-numbered JSON', 'id 3 twice'),
        (_change(coordinates=[1]), 'incomplete JSON', 'point 4 has no x and y'),
        (_change(coordinates=['1', '2']), 'incomplete JSON', 'point 4'),
        (_change(coordinates={'x': 1}), 'incomplete JSON', 'point 4'),
        (_change(coordinates=[10**400, 2]), 'incomplete JSON', 'point 4 is farther away than any pixel'),
        (_change(coordinates=[1, -1e7]), 'incomplete JSON', 'point 4 is farther away'),
        (_change(id=10**400), 'mis-numbered JSON', 'id a number of many digits'),
        (lambda data: data['WorkLoad'].update(cap='\ud800'), 'unreadable JSON', 'half a character'),
        (_change(properties=None), 'incomplete JSON', 'point 4 is neither'),
        (_change(properties={'globaltype': []}), 'incomplete JSON', 'point 4 is neither'),
        (lambda data: data.pop('DataList'), 'incomplete JSON', 'no DataList'),
        (lambda data: data['DataList'].append(7), 'incomplete JSON', 'no object'),
        (lambda data: data.update(DataList=data['DataList'][:50]), 'incomplete JSON', '50 of 106 points'),
    ],
)
def test_a_broken_json_is_left_out(
    tmp_path: Path, datatang_json: Callable[..., dict], change: Callable[[dict], object], reason: str, detail: str
) -> None:
    data = datatang_json()
    change(data)
    (tmp_path / 'a.json').write_text(json.dumps(data))
    with pytest.raises(Unusable) as caught:
        parse_datatang(tmp_path / 'a.json')
    assert caught.value.reason == reason and detail in caught.value.detail


@pytest.mark.parametrize('content', [b'', b'{"DataList": [', b'\xff\xfe\x00', b'[' * 100_000, b'9' * 5000], ids=repr)
def test_an_unreadable_json_is_left_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'a.json').write_bytes(content)
    with pytest.raises(Unusable, match='unreadable JSON'):
        parse_datatang(tmp_path / 'a.json')
    with pytest.raises(Unusable, match='unreadable JSON'):
        parse_datatang(tmp_path)  # a folder


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 200) | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(['DataList', 'id', 'coordinates', 'properties', 'type', 'x']), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(_json)
def test_any_json_is_refused_or_read(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    path = tmp_path_factory.getbasetemp() / 'any.json'
    path.write_text(json.dumps({'DataList': data}))
    with pytest.raises(Unusable):  # never enough points
        parse_datatang(path)


def test_folders(tmp_path: Path, put_datatang: Callable[..., None], put_image: Callable[..., Path]) -> None:
    put_datatang(tmp_path / 'session01/000001.jpg', hidden=(2,), cap='no')
    put_datatang(tmp_path / 'test/session02/000002.jpg')
    put_datatang(tmp_path / 'valid/000003.png')
    put_datatang(tmp_path / 'session01/000004.jpg')
    (tmp_path / 'session01/000004.json').write_text('{')
    put_image(tmp_path / 'session01/000005.jpg')
    (tmp_path / 'session01/000006.json').write_text('{}')
    gathered = read_datatang(tmp_path, workers=1)
    assert {(face.file_name, face.split) for face in gathered.faces} == {
        ('session01/000001.jpg', 'train'),
        ('test/session02/000002.jpg', 'test'),
        ('valid/000003.png', 'val'),
    }
    first = next(face for face in gathered.faces if face.split == 'train')
    assert first.keypoints_visible.tolist() == [2, 1] + [2] * 104
    assert first.attributes == {'cap': 'no'} and first.source == 'datatang/session01'
    assert {left.file: left.reason for left in gathered.left_out} == {
        'session01/000004.json': 'unreadable JSON',
        'session01/000005.jpg': 'image without .json',
        'session01/000006.json': 'no image for the .json',
    }
    with pytest.raises(FaceAlignError, match='no annotated face found'):
        read_datatang(put_image(tmp_path / 'other/a.jpg').parent, workers=1)


def test_real_faces(shared: Path) -> None:
    gathered = read_datatang(shared / 'data/datatang106')
    assert len(gathered.faces) == 819 and gathered.left_out == []
    hidden = sum((face.keypoints_visible == 1).sum() for face in gathered.faces)
    assert hidden == 4270 and all(face.annotated.all() for face in gathered.faces)  # counted in the files' text
    ten = {'race', 'eye', 'orientation', 'background', 'gender', 'mouth', 'occlusion', 'cap', 'age', 'glasses'}
    assert all(face.attributes.keys() == ten for face in gathered.faces)
    first = gathered.faces[0]
    assert first.points[[0, 1, 105]].tolist() == [[111, 262.5], [111.5, 284.5], [240, 451.75]]
