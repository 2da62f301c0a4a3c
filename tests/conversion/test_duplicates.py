from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.conversion.convert import Options, convert
from facealign.conversion.duplicates import (
    Fingerprint,
    find_duplicates,
    fingerprint,
    group_duplicates,
    read_fingerprints,
)
from facealign.io.pts import write_pts
from facealign.markup import IBUG68, flip_points
from facealign.synthetic.render import DrawnFace, random_face

Picture = tuple[np.ndarray, np.ndarray]  # image and points


@pytest.fixture(scope='module')
def faces() -> list[DrawnFace]:
    return [random_face(seed, size=160) for seed in range(24)]


def _jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def _scaled(image: np.ndarray, points: np.ndarray, factor: float) -> Picture:
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return small, (points + 0.5) * np.array(small.shape[1::-1]) / image.shape[1::-1] - 0.5


def _cropped(image: np.ndarray, points: np.ndarray) -> Picture:
    x1, y1 = np.maximum(points.min(axis=0) - 15, 0).astype(int)
    x2, y2 = (points.max(axis=0) + 15).astype(int)
    return image[y1:y2, x1:x2], points - [x1, y1]


def _mirrored(image: np.ndarray, points: np.ndarray) -> Picture:
    return image[:, ::-1], flip_points(points, image.shape[1], IBUG68)


def _annotated_again(image: np.ndarray, points: np.ndarray) -> Picture:
    return image, points + np.random.default_rng(0).normal(0, 1.0, points.shape) + [1.0, -1.0]


COPIES: dict[str, Callable[[np.ndarray, np.ndarray], Picture]] = {
    'smaller': lambda image, points: _scaled(image, points, 0.5),
    'larger': lambda image, points: _scaled(image, points, 1.7),
    'JPEG': lambda image, points: (_jpeg(image, 25), points),
    'cropped': _cropped,
    'grey': lambda image, points: (cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), points),
    'darker': lambda image, points: ((200 * (image / 255) ** 1.7).astype(np.uint8), points),
    'annotated again': _annotated_again,
    'all of it': lambda image, points: (
        (smaller := _scaled(*_annotated_again(*_cropped(image, points)), 0.6)) and (_jpeg(smaller[0], 60), smaller[1])
    ),
}


@pytest.mark.parametrize('kind', COPIES)
@pytest.mark.parametrize('mirrored', [False, True])
def test_a_copy_is_found_and_nothing_else(faces: list[DrawnFace], kind: str, mirrored: bool) -> None:
    count = 8
    prints = [fingerprint(face.image, face.points68) for face in faces]
    for face in faces[:count]:
        copy = COPIES[kind](face.image, face.points68)
        prints.append(fingerprint(*(_mirrored(*copy) if mirrored else copy)))
    pairs = find_duplicates(prints)
    assert [(pair.first, pair.second, pair.mirrored) for pair in pairs] == [
        (i, len(faces) + i, mirrored) for i in range(count)
    ]
    assert all(0.9 < pair.correlation <= 1 for pair in pairs)


def test_different_pictures_and_pictures_of_nothing_are_no_copies() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(20, 80, (68, 2))
    images = [rng.integers(0, 255, (100, 100, 3), dtype=np.uint8) for _ in range(5)]
    images += [np.full((100, 100, 3), value, np.uint8) for value in (0, 90, 90, 255)]
    assert find_duplicates([fingerprint(image, points) for image in images]) == []
    assert find_duplicates([]) == find_duplicates([None, None]) == []


def test_a_face_without_points_or_of_a_few_pixels_has_no_fingerprint(faces: list[DrawnFace]) -> None:
    image, points = faces[0].image, faces[0].points68
    assert fingerprint(image, np.full((68, 2), np.nan)) is None
    assert fingerprint(*_scaled(image, points, 0.05)) is None
    assert fingerprint(image, points + 10_000) is None


def test_where_the_cut_shows_the_image() -> None:
    # Points at (±8, 0) and (0, ±8) around (10, 10): the cut reaches 12 pixels to each side, so 64 of its own are 24.
    points = np.array([[2.0, 10], [18, 10], [10, 2], [10, 18]])
    entry = fingerprint(np.zeros((30, 30), np.uint8), points)
    assert entry is not None and entry.density == pytest.approx(24 / 64)
    # The image begins at -0.5: 10.5 / 0.375 = 28 pixels before the centre at 31.5, so the first whole one is 4.
    assert entry.inside == (4, 4, 64, 64)


def test_related_faces_are_not_compared_and_a_chain_is_one_group(faces: list[DrawnFace]) -> None:
    prints: list[Fingerprint | None] = [fingerprint(faces[i].image, faces[i].points68) for i in (0, 1, 0, 2, 0, 1)]
    assert group_duplicates(find_duplicates(prints), 6) == [[0, 2, 4], [1, 5]]
    assert find_duplicates(prints, ['v', None, 'v', None, 'v', None])[0].first == 1
    assert len(find_duplicates(prints)) == 3  # two pairs join three


def test_files_that_cannot_be_read_have_none(tmp_path: Path, faces: list[DrawnFace]) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), faces[0].image)
    (tmp_path / 'b.png').write_bytes(b'no image')
    points = faces[0].points68
    (a, second), (b,) = read_fingerprints([(tmp_path / 'a.png', [points, points + 1]), (tmp_path / 'b.png', [points])])
    assert a is not None and second is not None and b is None
    expected = fingerprint(faces[0].image, points)
    assert expected is not None and np.array_equal(a.cut, expected.cut)


def _put(folder: Path, name: str, picture: Picture) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / name), picture[0])
    write_pts((folder / name).with_suffix('.pts'), picture[1])


def test_conversion_keeps_copies_together_and_names_them(tmp_path: Path, faces: list[DrawnFace]) -> None:
    for i, face in enumerate(faces[:20]):
        _put(tmp_path / 'src', f'a/{i}.png', (face.image, face.points68))
        _put(tmp_path / 'src', f'b/{i * 7 % 20 + 100}.png', COPIES['JPEG'](*_mirrored(face.image, face.points68)))
    summary = convert('pts', tmp_path / 'src', tmp_path / 'out', Options(split='ratio:0.6,0.2,0.2', workers=1))
    repeats = summary['repeated_photos']
    assert (repeats['photos'], repeats['faces'], repeats['in_several_splits']) == (20, 40, 0)
    assert [name for name, _ in repeats['all'][1]['files']] == ['a/1.png', 'b/107.png']
    assert all(photo['mirrored'] for photo in repeats['all'])
    assert summary['photos_in_several_splits'] == []
    assert {name: row['faces'] for name, row in summary['splits'].items()} == {'train': 24, 'val': 8, 'test': 8}


def test_a_given_split_is_not_changed_but_its_copies_are_named(tmp_path: Path, faces: list[DrawnFace]) -> None:
    for i, face in enumerate(faces[:4]):
        _put(tmp_path / 'src', f'afw/{i}.png', (face.image, face.points68))
    _put(tmp_path / 'src', 'ibug/other.png', COPIES['smaller'](faces[2].image, faces[2].points68))
    for looked, expected in ((True, [[['afw/2.png', 'train'], ['ibug/other.png', 'test_challenge']]]), (False, None)):
        options = Options(val=None, duplicates=looked, workers=1)
        summary = convert('300w', tmp_path / 'src', tmp_path / 'out', options)
        assert summary['splits']['test_challenge']['faces'] == 1
        repeats = summary['repeated_photos']
        assert (repeats and [photo['files'] for photo in repeats['all']]) == expected


# The photos of 300W's validation part that are in its training part too, known from comparing them by eye.
_LEAKED = ['0176', '0251', '0313', '0407', '0435', '0458', '0622', '0658', '0686', '0704']
_ALSO_LEAKED = ['0190', '0436', '0724']  # in other colours
_COMMON = [
    ('lfpw/testset/image_0007', 'lfpw/trainset/image_0862'),
    ('lfpw/testset/image_0096', 'lfpw/trainset/image_0828'),
    ('lfpw/testset/image_0066', 'lfpw/trainset/image_0215'),
    ('helen/testset/3203334240_1', 'helen/testset/3238436027_1'),
    ('helen/testset/3078332786_1', 'helen/testset/3081510905_1'),
    ('helen/testset/3213270807_4', 'helen/testset/3214120096_5', 'helen/testset/3214115970_3'),
    ('lfpw/testset/image_0232', 'lfpw/testset/image_0238'),
    ('lfpw/testset/image_0086', 'lfpw/testset/image_0136'),
]


@pytest.fixture(scope='module')
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp('300w')
    convert('300w', shared / 'data/300w', out, Options())
    return out


def test_the_repeated_photos_of_300w(real: Path) -> None:
    repeats = json.loads((real / 'summary.json').read_text())['repeated_photos']
    groups = [{name.removesuffix('.jpg') for name, _ in photo['files']} for photo in repeats['all']]
    # 57 groups, all of which are one photo to the eye.
    assert (repeats['photos'], repeats['faces'], repeats['in_several_splits']) == (57, 141, 3)
    assert not any(photo['mirrored'] for photo in repeats['all'])
    test_groups = [group for group in groups if any('testset' in name for name in group)]
    assert sorted(map(sorted, test_groups)) == sorted(map(sorted, _COMMON))


def test_fit_and_val_of_300w_share_no_photo_and_val_is_what_it_was_without_them(real: Path) -> None:
    names = {
        split: {image['file_name'] for image in json.loads((real / f'{split}.json').read_text())['images']}
        for split in ('fit', 'val', 'train')
    }
    assert {split: len(found) for split, found in names.items()} == {'fit': 1824, 'val': 188, 'train': 2012}
    moved = {f'lfpw/trainset/image_{number}.jpg' for number in _LEAKED + _ALSO_LEAKED}
    assert moved <= names['fit']
    # Before photos were compared, val was these 201: what was trained on the fit of then has not seen val.
    assert _digest(names['val'] | moved) == 'b0b3ec2f73654ec8'
    assert _digest(names['val']) == '88c4ed9b9b114af6'


def _digest(names: set[str]) -> str:
    return hashlib.sha256('\n'.join(sorted(names)).encode()).hexdigest()[:16]
