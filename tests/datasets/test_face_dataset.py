"""The dataset of the converted faces: samples, boxes, and augmentation that depends on seed, epoch and index alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import facealign.plugin  # noqa: F401
from facealign.datasets.face_dataset import FaceDataset, JointFaceDataset
from facealign.datasets.sampler import SeededSampler
from facealign.errors import FaceAlignError


def _dataset(root: Path, **kwargs) -> FaceDataset:
    return FaceDataset(**{'data_root': str(root), 'ann_file': 'train.json', 'pipeline': [], **kwargs})


def test_samples_hold_what_the_file_says(drawn_data: Path) -> None:
    dataset = _dataset(drawn_data / '300w')
    coco = json.loads((drawn_data / '300w' / 'train.json').read_text())
    assert len(dataset) == len(coco['annotations'])
    for index in (0, len(dataset) - 1):
        sample, face = dataset[index], coco['annotations'][index]
        x, y, w, h = face['bbox']
        np.testing.assert_allclose(sample['bbox'], [[x, y, x + w, y + h]], rtol=1e-6)
        np.testing.assert_allclose(
            sample['keypoints'][0], np.reshape(face['keypoints'], (-1, 3))[:, :2], rtol=1e-6, atol=1e-5
        )
        assert sample['id'] == face['id']
        assert sample['detected']
        assert Path(sample['img_path']).is_file()


def test_detector_boxes_and_the_faces_the_detector_missed(drawn_data: Path) -> None:
    dataset = _dataset(drawn_data / '300w_pack', box='detector')
    for index in range(10):
        sample = dataset[index]
        assert sample['detected'] == (index % 5 != 4)
        expected = sample['face_bbox'] if sample['detected'] else sample['landmark_bbox']
        np.testing.assert_array_equal(sample['bbox'][0], expected)


def test_a_sample_draws_from_seed_epoch_and_index_alone(drawn_data: Path) -> None:
    def draw(results: dict) -> dict:
        return dict(results, drawn=np.random.rand(3).tolist())

    dataset = _dataset(drawn_data / '300w', pipeline=[draw])
    first = dataset[(0, 3, 5)]['drawn']
    np.random.rand(7)
    assert dataset[(0, 3, 5)]['drawn'] == first
    others = [dataset[other]['drawn'] for other in ((1, 3, 5), (0, 4, 5), (0, 3, 6))]
    assert first not in others


def test_points_take_their_place_among_several_markups(drawn_data: Path) -> None:
    among = 'ibug68+datatang106'
    faces = _dataset(drawn_data / '300w', among=among)[0]
    alone = _dataset(drawn_data / '300w')[0]
    assert faces['keypoints'].shape == (1, 174, 2)
    np.testing.assert_array_equal(faces['keypoints'][:, :68], alone['keypoints'])
    assert faces['keypoints_visible'][0, :68].all() and not faces['keypoints_visible'][0, 68:].any()
    others = _dataset(drawn_data / 'datatang106', markup='datatang106', among=among)[0]
    assert not others['keypoints_visible'][0, :68].any() and others['keypoints_visible'][0, 68:].any()
    assert len(others['flip_indices']) == 174
    with pytest.raises(FaceAlignError, match='does not hold lapa106'):
        _dataset(drawn_data / '300w', markup='lapa106', among=among)


def test_joined_datasets_draw_as_they_do_alone(drawn_data: Path) -> None:
    def draw(results: dict) -> dict:
        return dict(results, drawn=np.random.rand())

    parts = [_dataset(drawn_data / '300w', pipeline=[draw], ann_file=file) for file in ('fit.json', 'val.json')]
    joint = JointFaceDataset(datasets=parts)
    assert len(joint) == len(parts[0]) + len(parts[1])
    second = joint[(0, 3, len(parts[0]) + 1)]
    assert second['id'] == parts[1][1]['id']
    assert second['drawn'] == joint[(0, 3, len(parts[0]) + 1)]['drawn'] != joint[(0, 4, len(parts[0]) + 1)]['drawn']
    assert second['drawn'] != joint[(0, 3, 1)]['drawn']


def test_sampler_shows_every_face_once_in_an_order_of_the_epoch() -> None:
    sampler = SeededSampler(range(10), shuffle=True, seed=4)
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    assert sorted(index for _, _, index in first) == list(range(10))
    assert {(seed, epoch) for seed, epoch, _ in second} == {(4, 1)}
    assert [index for _, _, index in first] != [index for _, _, index in second]


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (None, 'cannot be read'),
        ('{', 'not a JSON file'),
        ('{"images": []}', 'not a COCO keypoint file'),
        ('{"info": {"markup": "datatang106"}, "images": [], "annotations": []}', 'its points are datatang106'),
        ('{"info": {"markup": "ibug68"}, "images": [], "annotations": []}', 'holds no faces'),
    ],
)
def test_bad_files_are_one_line(tmp_path: Path, content: str | None, reason: str) -> None:
    if content is not None:
        (tmp_path / 'train.json').write_text(content)
    with pytest.raises(FaceAlignError, match=reason) as error:
        _dataset(tmp_path)
    assert 'train.json' in str(error.value)
    assert '\n' not in str(error.value)
