"""Points that an annotation lacks: exact cases, and drawn faces whose every point is known."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xtcocotools.coco import COCO

from facealign.datasets import complete
from facealign.datasets.complete import complete_points
from facealign.markup import get_markup
from facealign.synthetic import layout
from facealign.synthetic.render import random_face
from facealign.utils.config_file import read_config

ROOT = Path(__file__).resolve().parents[2]
LITE = (ROOT / 'configs/integral/lite_128_joint.py', ROOT / 'docs/results/weights/lite_128_joint_fp16.pth')


@given(st.integers(0, 10**6), st.integers(1, 39), st.floats(0.01, 1000))
def test_what_is_wrong_everywhere_alike_is_put_right_in_any_unit(seed: int, count: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    predicted = rng.uniform(0, unit, (40, 2))
    annotated = predicted + rng.uniform(-unit, unit, 2)
    known = rng.permutation(40) < count
    completed = complete_points(predicted, np.where(known[:, None], annotated, np.nan), known)
    np.testing.assert_allclose(completed, annotated, atol=1e-6 * unit)


def test_annotated_points_stay_and_none_is_needed_when_all_are_there() -> None:
    rng = np.random.default_rng(0)
    predicted, annotated = rng.uniform(0, 100, (2, 30, 2))
    known = np.arange(30) % 3 > 0
    np.testing.assert_array_equal(complete_points(predicted, annotated, known)[known], annotated[known])
    np.testing.assert_array_equal(complete_points(predicted, annotated, np.ones(30, bool)), annotated)


def test_points_on_one_place_need_not_agree() -> None:
    """The lips of a closed mouth: two points that the network puts on one pixel, and an annotator not quite."""
    predicted = np.array([[10, 10], [10, 10], [40, 10], [40, 40], [11, 10.0]])
    annotated = predicted + np.array([[0, 1], [0, 3], [0, 2], [0, 2], [0, 0.0]])
    completed = complete_points(predicted, annotated, np.array([True] * 4 + [False]))
    assert 11.5 < completed[-1, 1] < 12.5


@pytest.mark.parametrize('folder, given_part', [('300w', slice(0, 68)), ('datatang106', slice(68, 174))])
def test_drawn_faces_get_their_other_points(
    folder: str, given_part: slice, drawn_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drawn_data / folder / 'train_completed.json'
    completed = json.loads(path.read_text())
    plain = json.loads((drawn_data / folder / 'train.json').read_text())
    whole = get_markup('ibug68+datatang106')
    assert completed['info']['markup'] == whole.name
    assert completed['categories'][0]['keypoints'] == list(whole.keypoint_names)
    other = np.ones(174, bool)
    other[given_part] = False
    for face, before in zip(completed['annotations'], plain['annotations']):
        points = np.reshape(face['keypoints'], (-1, 3))
        assert points.shape == (174, 3) and face['num_keypoints'] == 174
        np.testing.assert_array_equal(points[given_part], np.reshape(before['keypoints'], (-1, 3)))
        assert (points[other, 2] == 1).all()
    coco = COCO(str(path))
    image = coco.loadImgs(coco.getImgIds()[0])[0]
    assert (drawn_data / folder / coco.dataset['info']['image_root'] / image['file_name']).is_file()

    monkeypatch.setattr(complete, 'complete_points', lambda own, given, known: own)
    own = tmp_path / 'own.json'
    complete.complete_file(drawn_data / folder / 'train.json', own, read_config(str(LITE[0])), str(LITE[1]))
    truth = _every_point()
    # The network has never seen a drawn face: what it gets wrong shows at the points that are given.
    assert _error(path, truth, other) < 0.8 * _error(own, truth, other)


def _error(path: Path, truth: dict[str, np.ndarray], of: np.ndarray) -> float:
    """Mean distance of the points ``of`` a file from the drawn ones, as a share of the face's height."""
    coco = json.loads(path.read_text())
    files = {image['id']: Path(image['file_name']).with_suffix('').as_posix() for image in coco['images']}
    errors = []
    for face in coco['annotations']:
        expected = truth[files[face['image_id']]]
        off = np.reshape(face['keypoints'], (-1, 3))[:, :2] - expected
        errors.append(np.linalg.norm(off[of], axis=1).mean() / np.ptp(expected[:, 1]))
    return float(np.mean(errors))


def _every_point() -> dict[str, np.ndarray]:
    """By image name in either layout: all 174 points of the drawing (``drawn_data`` has these 48 faces)."""
    points = {}
    for index in range(48):
        face = random_face((0, index), 128, hard=layout.is_challenge(index))
        both = np.vstack([face.points68, face.points106])
        points[layout.w300_name(index)] = points[layout.datatang_name(index)] = both
    return points


def test_command_writes_beside_the_file_and_refuses_what_it_cannot_use(
    drawn_data: Path, tmp_path: Path, run_tool: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    source = drawn_data / '300w' / 'val.json'
    again = json.loads(source.read_text())
    again['info']['image_root'] = str((source.parent / again['info']['image_root']).resolve())
    copy = tmp_path / 'val.json'
    copy.write_text(json.dumps(again))
    done = run_tool('complete_points.py', *LITE, copy)
    assert done.returncode == 0, done.stderr
    assert 'val_completed.json' in done.stdout and (tmp_path / 'val_completed.json').is_file()
    empty = json.loads(copy.read_text())
    empty['annotations'][0]['keypoints'] = [0] * 204
    (tmp_path / 'empty.json').write_text(json.dumps(empty))
    lapa = json.loads(copy.read_text())
    lapa['info']['markup'] = 'lapa106'
    for face in lapa['annotations']:
        face['keypoints'] = [1, 1, 2] * 106
    (tmp_path / 'lapa.json').write_text(json.dumps(lapa))
    for bad, said in (
        ('none.json', 'convert_dataset.py'),
        ('val_completed.json', 'was made from'),
        ('empty.json', 'face 1 has no annotated point'),
        ('lapa.json', 'its points are lapa106'),
    ):
        refused = run_tool('complete_points.py', *LITE, tmp_path / bad)
        last = refused.stderr.splitlines()[-1]
        assert refused.returncode == 2 and last.startswith('error: ') and bad in last and said in last
        assert not (tmp_path / f'{Path(bad).stem}_completed_completed.json').exists()
    checked = run_tool('complete_points.py', *LITE, copy, '--check')
    own, moved = (float(word.rstrip('%')) for word in checked.stdout.split() if word.endswith('%') and '.' in word)
    assert checked.returncode == 0 and 0.3 * own < moved < 0.9 * own
    one_markup = ROOT / 'configs/yinnet/yinnet_128_300w.py', ROOT / 'docs/results/weights/yinnet_128_300w_fp16.pth'
    refused = run_tool('complete_points.py', *one_markup, copy)
    assert refused.returncode == 2 and 'yinnet_128_300w.py: trains on ibug68 alone' in refused.stderr
