"""DPG: the distribution of its boxes, what a cut does to image and points, and its switch."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmpose.datasets.transforms import GetBBoxCenterScale
from mmpose.registry import TRANSFORMS

import facealign.plugin  # noqa: F401
from facealign.datasets.dpg import BODY_MEAN, BODY_STD, DPG, PARTS, inside, scale_box

ROOT = Path(__file__).resolve().parents[2]
BOX = np.array([100.0, 50, 180, 150])


def sample(points: int = 106) -> dict:
    rng = np.random.default_rng(0)
    return dict(
        img=rng.integers(1, 256, (220, 300, 3), dtype=np.uint8),
        bbox=BOX[None].astype(np.float32),
        keypoints=rng.uniform(BOX[:2], BOX[2:], (1, points, 2)).astype(np.float32),
        keypoints_visible=np.ones((1, points), np.float32),
    )


def crop_of(results: dict, padding: float) -> np.ndarray:
    """The rectangle xyxy that GetBBoxCenterScale makes of the result."""
    done = GetBBoxCenterScale(padding)(dict(results))
    centre, scale = done['bbox_center'][0], done['bbox_scale'][0]
    return np.concatenate([centre - scale / 2, centre + scale / 2])


def test_moves_of_the_sides_have_the_published_distribution() -> None:
    np.random.seed(0)
    dpg, face = DPG(patch_prob=0, part_prob=0), sample()
    boxes = np.array([dpg(dict(face))['bbox'][0] for _ in range(4000)])
    moves = (boxes - BOX) / [80, 100, 80, 100]
    error = 4 * np.array(BODY_STD) / 4000**0.5
    assert (np.abs(moves.mean(axis=0) - BODY_MEAN) < error).all()
    assert (np.abs(moves.std(axis=0) - BODY_STD) < error).all()
    assert np.abs(np.corrcoef(moves.T) - np.eye(4)).max() < 0.07


def test_shares_of_patches_and_parts() -> None:
    np.random.seed(1)
    face, rounds = sample(), 4000
    never_moved = dict(side_mean=(0,) * 4, side_std=(0,) * 4)
    same = sum(np.array_equal(DPG(**never_moved)(dict(face))['bbox'], face['bbox']) for _ in range(rounds))
    assert same / rounds == pytest.approx(0.85 * 0.68, abs=0.03)
    crops = [crop_of(DPG(**never_moved, patch_prob=0, part_prob=1)(dict(face)), 1.25) for _ in range(rounds)]
    whole = scale_box(BOX, 1.25)
    shares = np.round((np.array(crops) - np.tile(whole[:2], 2)) / np.tile(whole[2:] - whole[:2], 2), 2)
    kinds, counts = np.unique(shares + 0.0, axis=0, return_counts=True)
    assert {tuple(kind) for kind in kinds.tolist()} == set(PARTS) and len(PARTS) == 8
    assert np.abs(counts / rounds - 1 / 8).max() < 0.02


def test_patches_are_85_to_100_percent_and_inside() -> None:
    np.random.seed(2)
    dpg, face, whole = DPG(padding=1.5, patch_prob=1, part_prob=0), sample(), scale_box(BOX, 1.5)
    crops = np.array([crop_of(dpg(dict(face)), 1.5) for _ in range(1000)])
    shares = (crops[:, 2:] - crops[:, :2]) / (whole[2:] - whole[:2])
    assert np.allclose(shares[:, 0], shares[:, 1], atol=1e-4)
    assert shares.min() == pytest.approx(0.85, abs=0.01) and shares.max() == pytest.approx(1, abs=0.01)
    assert (crops[:, :2] >= whole[:2] - 1e-3).all() and (crops[:, 2:] <= whole[2:] + 1e-3).all()


def test_a_cut_blackens_the_rest_and_removes_its_points() -> None:
    np.random.seed(3)
    face = sample()
    results = DPG(patch_prob=0, part_prob=1)(dict(face))
    crop = crop_of(results, 1.25)
    x1, y1, x2, y2 = np.rint(np.clip(crop, 0, [300, 220, 300, 220])).astype(int)
    expected = np.zeros_like(face['img'])
    expected[y1:y2, x1:x2] = face['img'][y1:y2, x1:x2]
    assert np.array_equal(results['img'], expected)
    seen = inside(face['keypoints'], crop)
    assert 0 < seen.sum() < 106 and np.array_equal(results['keypoints_visible'] > 0, seen)
    assert np.array_equal(results['keypoints'], face['keypoints'])
    assert (face['keypoints_visible'] == 1).all() and face['img'].all()  # the dataset's own arrays are untouched


def test_weights_of_points_inside_a_cut_stay() -> None:
    np.random.seed(3)
    face = sample()
    face['keypoints_visible'][0, ::2] = 0.5
    visible = DPG(patch_prob=0, part_prob=1)(dict(face))['keypoints_visible']
    assert set(visible[visible > 0].tolist()) == {0.5, 1.0}


def test_faces_with_few_points_are_not_cut() -> None:
    face = sample(points=13)
    assert DPG(patch_prob=0, part_prob=1)(dict(face))['img'] is face['img']
    assert DPG(patch_prob=0, part_prob=1)(sample(points=14))['img'] is not face['img']


def test_a_box_never_turns_over() -> None:
    np.random.seed(4)
    dpg = DPG(side_std=(2.0,) * 4)
    boxes = np.array([dpg(sample())['bbox'][0] for _ in range(300)])
    assert (boxes[:, 2:] > boxes[:, :2]).all() and boxes.dtype == np.float32


def test_four_numbers_are_needed() -> None:
    with pytest.raises(ValueError, match='4 numbers'):
        DPG(side_mean=(0, 0))


def _boxes_in_a_worker(dpg: DPG, told: multiprocessing.Queue, boxes: multiprocessing.Queue) -> None:
    for _ in range(2):
        told.get()
        boxes.put(dpg(sample())['bbox'])


def test_the_switch_reaches_processes_already_running() -> None:
    context = multiprocessing.get_context('fork')
    dpg, told, boxes = DPG(active=False, patch_prob=1), context.Queue(), context.Queue()
    worker = context.Process(target=_boxes_in_a_worker, args=(dpg, told, boxes))
    worker.start()
    told.put(1)
    assert np.array_equal(boxes.get(timeout=60), BOX[None])
    dpg.switch(True)
    told.put(1)
    assert not np.array_equal(boxes.get(timeout=60), BOX[None])
    worker.join(60)


def test_configs_use_it_in_training_only_with_the_paddings_that_follow() -> None:
    paths = sorted((ROOT / 'configs/fastpose').glob('*.py'))
    assert len([path for path in paths if 'stage2-dpg' in path.name]) == 2
    for path in paths:
        config = Config.fromfile(path)
        train, *others = (
            {step['type']: step for step in config[f'{part}_dataloader'].dataset.pipeline}
            for part in ('train', 'val', 'test')
        )
        assert all('DPG' not in steps for steps in others)
        assert ('DPG' in train) == ('stage1' not in path.name), path.name
        if 'DPG' in train:
            dpg, order = TRANSFORMS.build(train['DPG']), list(train)
            assert dpg.padding == train['GetBBoxCenterScale']['padding'] == others[0]['GetBBoxCenterScale']['padding']
            assert order.index('DPG') < order.index('GetBBoxCenterScale')
            assert (dpg.side_mean == BODY_MEAN).all() and (dpg.side_std == BODY_STD).all()
