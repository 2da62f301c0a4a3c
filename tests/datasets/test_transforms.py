"""The project's own pipeline steps: what they may touch, and that points stay on their pixels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmpose.datasets.transforms import PhotometricDistortion, RandomFlip
from scipy.stats import kstest, truncnorm

import facealign.plugin  # noqa: F401
from facealign.datasets.face_dataset import FaceDataset
from facealign.datasets.transforms import (
    FacePhotometricDistortion,
    LoadFaceImage,
    PackFaceInputs,
    RandomFaceBox,
    RandomFaceFlip,
    RandomOcclusion,
    RandomPhoto,
    RandomPhotoEdge,
)
from facealign.errors import FaceAlignError
from facealign.markup import IBUG68


def _sample(seed: int = 0, size: tuple[int, int] = (90, 120)) -> dict:
    rng = np.random.default_rng(seed)
    points = rng.uniform(30, 70, (1, 68, 2)).astype(np.float32)
    return dict(
        img=rng.integers(0, 256, (*size, 3), dtype=np.uint8),
        keypoints=points,
        keypoints_visible=np.ones((1, 68), np.float32),
        bbox=np.concatenate([points[0].min(0), points[0].max(0)])[None],
    )


def test_quick_truncated_normal_numbers_are_scipy_s() -> None:
    np.random.seed(0)
    drawn = RandomFaceBox._truncnorm(size=(5000, 4))
    assert drawn.shape == (5000, 4) and np.abs(drawn).max() <= 1
    assert kstest(drawn.ravel(), truncnorm(-1, 1).cdf).pvalue > 0.01


@pytest.mark.parametrize(
    'quick, mmpose', [(RandomFaceFlip, RandomFlip), (FacePhotometricDistortion, PhotometricDistortion)]
)
def test_quick_steps_give_what_mmpose_s_give(quick: type, mmpose: type) -> None:
    for seed in range(24):
        sample = dict(_sample(seed), flip_indices=list(IBUG68.flip_indices), img_shape=(90, 120))
        given = []
        for step in (quick(), mmpose()):
            np.random.seed(seed)
            given.append(step.transform(dict(sample)))
        assert given[0].keys() == given[1].keys()
        for key in ('img', 'keypoints', 'bbox'):
            np.testing.assert_array_equal(given[0][key], given[1][key])


def test_a_mirrored_image_is_one_that_opencv_need_not_copy() -> None:
    sample = dict(_sample(), flip_indices=list(IBUG68.flip_indices), img_shape=(90, 120))
    assert RandomFaceFlip(prob=1.0).transform(sample)['img'].flags.c_contiguous


@pytest.mark.parametrize('seed', range(8))
def test_photo_edge_moves_points_and_box_with_the_pixels(seed: int) -> None:
    np.random.seed(seed)
    sample = _sample(seed)
    x, y = sample['keypoints'][0, 0].astype(int)
    pixel = sample['img'][y, x].copy()
    sample['keypoints'][0, 0] = x, y
    before = {key: value.copy() for key, value in sample.items()}
    cut = RandomPhotoEdge(prob=0.9, room=(0.05, 0.2)).transform(dict(sample))
    new_x, new_y = cut['keypoints'][0, 0].astype(int)
    assert (cut['img'][new_y, new_x] == pixel).all()
    moved = before['keypoints'] - cut['keypoints']
    np.testing.assert_allclose(before['bbox'] - cut['bbox'], np.tile(moved[0, 0], 2)[None], atol=1e-4)
    assert cut['img'].shape < before['img'].shape
    height, width = cut['img'].shape[:2]
    assert (cut['keypoints'][0] <= [width, height]).all()  # with room >= 0 no point is cut off
    for key, value in before.items():
        np.testing.assert_array_equal(sample[key], value)  # the dataset's own arrays stay as they were


def test_photo_edge_without_chance_changes_nothing() -> None:
    sample = _sample()
    assert RandomPhotoEdge(prob=0).transform(sample) is sample


def test_occlusion_covers_one_rectangle_and_leaves_the_original() -> None:
    np.random.seed(1)
    sample = _sample()
    original = sample['img'].copy()
    covered = RandomOcclusion(prob=1, max_size=0.5).transform(dict(sample))['img']
    np.testing.assert_array_equal(sample['img'], original)
    rows, columns = np.nonzero((covered != original).any(axis=2))
    height, width = original.shape[:2]
    assert 0 < np.ptp(rows) <= 0.5 * height + 1
    assert 0 < np.ptp(columns) <= 0.5 * width + 1


@pytest.mark.parametrize('step', ['gamma', 'blur', 'shrink', 'noise', 'jpeg'])
def test_each_photo_effect_changes_the_picture_a_little(step: str) -> None:
    sample = _sample()
    smooth = cv2.GaussianBlur(sample['img'], (0, 0), 4)
    changed = []
    for seed in range(5):
        np.random.seed(seed)
        effect = RandomPhoto(**{'gamma': 0, 'blur': 0, 'shrink': 0, 'noise': 0, 'jpeg': 0, step: 1})
        image = effect.transform({'img': smooth})['img']
        assert image.shape == smooth.shape
        assert image.dtype == np.uint8
        changed.append(np.abs(image.astype(int) - smooth).mean())
    assert 0.05 < np.mean(changed) < 60


def test_photo_effects_repeat_with_the_seed() -> None:
    images = []
    for _ in range(2):
        np.random.seed(3)
        images.append(RandomPhoto(1, 1, 1, 1, 1).transform({'img': _sample()['img']})['img'])
    np.testing.assert_array_equal(*images)


def test_images_are_kept_in_memory_up_to_the_limit(tmp_path: Path) -> None:
    paths = [tmp_path / f'{i}.png' for i in range(3)]
    for path in paths:
        cv2.imwrite(str(path), np.full((100, 100, 3), 7, np.uint8))  # 30 kB each
    load = LoadFaceImage(cache_mib=0.06)
    for path in paths:
        load.transform({'img_path': str(path)})
    for path in paths[:2]:
        path.unlink()
        assert (load.transform({'img_path': str(path)})['img'] == 7).all()
    paths[2].unlink()
    with pytest.raises(FaceAlignError, match='2.png: cannot be read'):
        load.transform({'img_path': str(paths[2])})


def test_packed_inputs_are_the_image_and_carry_the_meta_keys(drawn_data: Path) -> None:
    pipeline = [dict(type='mmpose.LoadFaceImage'), dict(type='mmpose.PackFaceInputs')]
    dataset = FaceDataset(ann_file='test.json', data_root=str(drawn_data / '300w'), pipeline=pipeline)
    packed = dataset[0]
    image = cv2.imread(packed['data_samples'].img_path)
    assert packed['inputs'].dtype == torch.uint8
    np.testing.assert_array_equal(packed['inputs'].numpy(), image.transpose(2, 0, 1))
    assert packed['data_samples'].subset in ('common', 'challenge')
    assert packed['data_samples'].gt_instances.keypoints.shape == (1, 68, 2)
    assert isinstance(PackFaceInputs(), PackFaceInputs)
