from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facealign.conversion import convert as module
from facealign.conversion.convert import Options, convert
from facealign.errors import FaceAlignError
from facealign.markup import DATATANG106, LAPA106, convert_points


def _official(root: Path, put_face: Callable[..., np.ndarray], each: int = 4) -> Path:
    folders = ('afw', 'helen/trainset', 'lfpw/trainset', 'helen/testset', 'lfpw/testset', 'ibug', '300W/01_Indoor')
    for i, folder in enumerate(folders):
        for number in range(each):
            put_face(root / folder / f'face{i}{number}.jpg', seed=10 * i + number)
    return root


def _load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def _names(path: Path) -> set[str]:
    return {image['file_name'] for image in _load(path)['images']}


def test_splits_of_the_official_tree(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    src, out = _official(tmp_path / 'src', put_face), tmp_path / 'out'
    summary = convert('300w', src, out, Options(val='random:0.25'))
    sizes = {path.stem: len(_load(path)['annotations']) for path in out.glob('*.json') if path.stem != 'summary'}
    assert sizes == {
        'train': 12,
        'fit': 9,
        'val': 3,
        'test_common': 8,
        'test_challenge': 4,
        'test_full': 12,
        'test_private': 4,
        'test': 16,
    }
    assert _names(out / 'fit.json') | _names(out / 'val.json') == _names(out / 'train.json')
    assert _names(out / 'test_full.json') == _names(out / 'test_common.json') | _names(out / 'test_challenge.json')
    assert {i['subset'] for i in _load(out / 'test_full.json')['images']} == {'common', 'challenge'}
    assert {name: row['faces'] for name, row in summary['splits'].items()} == sizes
    assert _load(out / 'summary.json') == summary
    # The images are found from where the JSON lies.
    root = out / _load(out / 'train.json')['info']['image_root']
    assert all((root / name).is_file() for name in _names(out / 'train.json'))


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    src = _official(tmp_path / 'src', put_face)
    options = dict(split='random:0.3', crop=True)
    for name, workers in (('one', 1), ('two', 2)):
        convert('300w', src, tmp_path / name, Options(**options, workers=workers))  # type: ignore[arg-type]
    one, two = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob('*') if path.is_file()}
        for folder in (tmp_path / 'one', tmp_path / 'two')
    )
    assert one == two and len(one) > 28


def test_a_second_conversion_removes_what_it_does_not_make(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    src, out = _official(tmp_path / 'src', put_face), tmp_path / 'out'
    convert('300w', src, out, Options())
    (out / 'mine.json').write_text('{}')
    convert('300w', src, out, Options(split='random:0.5', val=None))
    assert {path.stem for path in out.glob('*.json')} == {'train', 'test', 'summary', 'mine'}


@pytest.mark.parametrize('split', ['train', 'test'])
def test_all_of_it_can_be_one_split(tmp_path: Path, put_face: Callable[..., np.ndarray], split: str) -> None:
    src, out = _official(tmp_path / 'src', put_face, each=1), tmp_path / 'out'
    summary = convert('300w', src, out, Options(split=split, val=None))
    assert summary['split'] == split and {path.stem for path in out.glob('*.json')} == {split, 'summary'}
    assert len(_names(out / f'{split}.json')) == 7


def test_a_pack_is_also_written_by_dataset(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    for dataset in ('300W', 'Menpo'):
        for split in ('train', 'test'):
            put_face(tmp_path / 'src' / dataset / split / 'image_0001.jpg', seed=len(dataset + split))
    convert('300w', tmp_path / 'src', tmp_path / 'out', Options(val=None))
    assert _names(tmp_path / 'out/test.json') == {'300W/test/image_0001.jpg', 'Menpo/test/image_0001.jpg'}
    assert _names(tmp_path / 'out/test_menpo.json') == {'Menpo/test/image_0001.jpg'}
    assert _names(tmp_path / 'out/train_300w.json') == {'300W/train/image_0001.jpg'}


def test_a_split_list_with_boxes_beside_the_data(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    src, out = _official(tmp_path / 'src', put_face, each=1), tmp_path / 'out'
    (src / 'list.csv').write_text(
        'image,split,x1,y1,x2,y2\nafw/face00.jpg,train,18,19,81,82\nibug/face50.jpg,test,20,20,80,80\n'
        'afw/gone.jpg,test,1,1,2,2\nhelen/trainset/face10.jpg,train,,,,\n'
    )
    summary = convert('300w', src, out, Options(split='csv:list.csv', val=None))
    assert summary['boxes'] == summary['split'] == 'csv:list.csv'
    first, second = _load(out / 'train.json')['annotations']
    assert first['face_bbox'] == [18, 19, 63, 63] and second['face_bbox'] is None
    assert summary['splits']['train']['detector_hit_rate'] == 0.5
    assert summary['left_out']['in the split list, but not found']['files'] == ['afw/gone.jpg']
    assert summary['left_out']['not in the split list']['count'] == 4


def test_detections(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    for i in range(3):
        put_face(tmp_path / f'src/{i}.jpg', seed=i)
    found = {'0.jpg': np.array([[0, 0, 9, 9, 5.0], [19, 19, 81, 81, 1.0]]), '1.jpg': np.zeros((0, 5)), '2.jpg': None}
    options = Options(boxes='dlib-hog', detect=lambda paths: [found[path.name] for path in paths])
    summary = convert('pts', tmp_path / 'src', tmp_path / 'out', options)
    boxes = [a['face_bbox'] for a in _load(tmp_path / 'out/train.json')['annotations']]
    assert boxes == [[19, 19, 62, 62], None]
    assert summary['left_out']['image cannot be decoded']['files'] == ['2.jpg']


@pytest.mark.parametrize('target', ['lapa106', 'ibug68'])
def test_datatang_in_another_markup(tmp_path: Path, put_datatang: Callable[..., None], target: str) -> None:
    for i in range(10):
        put_datatang(tmp_path / f'src/{i:06d}.jpg', seed=i, hidden=(1, 60), without=(52,), glasses='no')
    for name, markup in (('own', None), ('other', target)):
        options = Options(split='modulo', markup=markup, workers=1)
        convert('datatang', tmp_path / 'src', tmp_path / name, options)
    own, other = (_load(tmp_path / name / 'test.json') for name in ('own', 'other'))
    assert (own['info']['markup'], other['info']['markup']) == ('datatang106', target)
    assert [image['file_name'] for image in own['images']] == ['000000.jpg', '000001.jpg']
    assert len(_load(tmp_path / 'own/val.json')['images']) == 1
    for a, b in zip(own['annotations'], other['annotations']):
        keypoints = np.array(a['keypoints'], dtype=float).reshape(106, 3)
        assert keypoints[[0, 51, 59], 2].tolist() == [1, 0, 1]
        expected = convert_points(keypoints, DATATANG106, module.get_markup(target))
        assert np.array_equal(np.array(b['keypoints']).reshape(-1, 3), expected)
        assert a['attributes'] == b['attributes'] == {'glasses': 'no'}


def test_pts_of_another_markup_are_taken_as_they_are(tmp_path: Path, put_face: Callable[..., np.ndarray]) -> None:
    points = put_face(tmp_path / 'src/a.jpg', num_points=106)
    convert('pts', tmp_path / 'src', tmp_path / 'out', Options(markup='lapa106'))
    coco = _load(tmp_path / 'out/train.json')
    assert coco['categories'][0]['keypoints'] == list(LAPA106.keypoint_names)
    assert np.array_equal(np.array(coco['annotations'][0]['keypoints']).reshape(106, 3)[:, :2], points)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(split='half'), '--split half: not official, train, test, csv:FILE'),
        (dict(split='random:x'), '"x" is no share'),
        (dict(split='random:1.5'), 'between 0 and 1'),
        (dict(split='ratio:0.5,0.5'), 'not three shares'),
        (dict(split='ratio:0.5,0.3,0.3'), 'add up to 1.1'),
        (dict(split='csv:absent.csv'), 'absent.csv: cannot be read'),
        (dict(split='list:absent.txt'), 'absent.txt: cannot be read'),
        (dict(boxes='csv:absent.csv'), 'absent.csv: cannot be read'),
        (dict(val='half'), '--val half: not random:SHARE'),
        (dict(val='random:0.01x'), 'is no share'),
        (dict(markup='wflw'), '--markup wflw: no markup'),
    ],
)
def test_impossible_options_are_one_line_and_write_nothing(
    tmp_path: Path, put_face: Callable[..., np.ndarray], options: dict[str, str], message: str
) -> None:
    for i in range(4):
        put_face(tmp_path / f'src/{i}.jpg', seed=i)
    with pytest.raises(FaceAlignError, match=message):
        convert('pts', tmp_path / 'src', tmp_path / 'out', Options(**options))  # type: ignore[arg-type]
    assert not list(tmp_path.glob('out/*'))


def test_a_disk_that_fills_up_leaves_the_older_files_whole(
    tmp_path: Path, put_face: Callable[..., np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    src, out = _official(tmp_path / 'src', put_face), tmp_path / 'out'
    convert('300w', src, out, Options())
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    write_coco = module.write_coco

    def fill(file: Any, faces: Any, markup: Any, *, split: str, **kwargs: Any) -> None:
        write_coco(file, faces, markup, split=split, **kwargs)
        if split == 'test_private':
            raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(module, 'write_coco', fill)
    with pytest.raises(FaceAlignError, match=r'test_private\.json: cannot be written \(No space left'):
        convert('300w', src, out, Options(seed=5, split='official'))
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_an_output_folder_that_cannot_be_written_is_noticed_first(
    tmp_path: Path, put_face: Callable[..., np.ndarray]
) -> None:
    put_face(tmp_path / 'src/a.jpg')
    (tmp_path / 'out').write_text('a file')
    detect = Options(boxes='dlib-hog', detect=lambda paths: pytest.fail('long work began'))
    with pytest.raises(FaceAlignError, match='choose another --out'):
        convert('pts', tmp_path / 'src', tmp_path / 'out', detect)
