from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from facealign.errors import FaceAlignError
from facealign.markup import DATATANG106, IBUG68, LAPA106, Markup, add_markup, get_markup, is_shipped
from facealign.markup_file import markup_from_dict, markup_to_dict, read_markup

WHOLE: dict[str, Any] = dict(
    name='mine4',
    num_points=4,
    names=['left', 'right', 'nose', 'chin'],
    mirror=[[0, 1]],
    regions=dict(eyes=[0, 1]),
    outlines=[[0, 2, 1, 0]],
    outer_eye_corners=[0, 1],
    pupils=[[0], [1]],
)


@pytest.mark.parametrize('markup', [IBUG68, DATATANG106, LAPA106])
def test_a_markup_survives_a_round_trip(markup: Markup) -> None:
    assert markup_from_dict(json.loads(json.dumps(markup_to_dict(markup)))) == markup


def test_what_a_file_says(tmp_path: Path) -> None:
    (tmp_path / 'mine.json').write_text('\ufeff' + json.dumps(WHOLE))
    markup = read_markup(tmp_path / 'mine.json')
    assert markup.flip_indices == (1, 0, 2, 3) and markup.skeleton == [(0, 2), (2, 1), (1, 0)]
    assert markup.regions == {'eyes': (0, 1), 'other': (2, 3)}
    assert markup.metainfo()['keypoint_info'][0]['swap'] == 'right'


def test_the_least_that_must_be_there() -> None:
    markup = markup_from_dict(dict(name='m', num_points=3))
    assert markup.keypoint_names == ('p0', 'p1', 'p2') and markup.flip_indices == (0, 1, 2)
    assert markup.outer_eye_corners is None and markup.pupils is None
    assert markup.regions == {'all_points': (0, 1, 2)}
    assert markup_from_dict(dict(name='m', names=['p0', 'p1', 'p2'])) == markup


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(name=None), '"name" must be'),
        (dict(name='a+b'), '"name" must be'),
        (dict(num_points=0), '"num_points" must be'),
        (dict(num_points=10**400), '"num_points" must be'),
        (dict(num_points=True), '"num_points" must be'),
        (dict(num_points=5), '"names" must be 5 different names'),
        (dict(names=['a', 'a', 'b', 'c']), '4 different names'),
        (dict(names=[1, 2, 3, 4]), '"names" must be a list'),
        (dict(mirror=[[0, 4]]), '"mirror" must hold lists of points from 0 to 3'),
        (dict(mirror=[[0, 0]]), '"mirror" must hold 2 different points'),
        (dict(mirror=[[0, 1], [1, 2]]), '"mirror" names a point twice'),
        (dict(mirror=3), '"mirror" must be a list'),
        (dict(regions=[[0]]), '"regions" must be an object'),
        (dict(regions=dict(a=[0], b=[0])), '"regions" name a point twice'),
        (dict(outlines=[[0.5]]), '"outlines" must hold'),
        (dict(outlines=[[]]), '"outlines" must hold'),
        (dict(pupils=[[0]]), '"pupils" must be two'),
        (dict(outer_eye_corners=[1]), '"outer_eye_corners" must hold 2'),
        (dict(colour='red'), '"colour" is not one of'),
    ],
)
def test_what_is_impossible_is_one_line(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / 'mine.json'
    path.write_text(json.dumps({**WHOLE, **change}))
    with pytest.raises(FaceAlignError, match=message) as caught:
        read_markup(path)
    assert str(path) in str(caught.value) and '\n' not in str(caught.value)


@pytest.mark.parametrize('content', [b'', b'[]', b'{"name":', b'\xff', b'[' * 5000])
def test_a_file_that_is_none_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / 'mine.json'
    path.write_bytes(content)
    with pytest.raises(FaceAlignError, match='no markup'):
        read_markup(path)
    with pytest.raises(FaceAlignError, match='cannot be read'):
        read_markup(tmp_path / 'absent.json')


def test_a_name_is_one_markup() -> None:
    markup = markup_from_dict({**WHOLE, 'name': 'one-of-tests'})
    assert (
        add_markup(markup) is add_markup(markup_from_dict({**WHOLE, 'name': 'one-of-tests'})) is get_markup(markup.name)
    )
    assert not is_shipped(markup) and is_shipped(IBUG68) and is_shipped(get_markup('ibug68+lapa106'))
    with pytest.raises(ValueError, match='another markup is called "one-of-tests"'):
        add_markup(markup_from_dict(dict(name='one-of-tests', num_points=4)))
    with pytest.raises(ValueError, match='another markup is called "ibug68"'):
        add_markup(markup_from_dict(dict(name='ibug68', num_points=4)))
