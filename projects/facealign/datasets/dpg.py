"""Proposals like a face detector's: boxes drawn for training from annotated ones."""

from __future__ import annotations

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

# Left, top, right, bottom. Published for a detector of whole bodies;
# tools/fit_dpg.py finds a face detector's own.
BODY_MEAN = (-0.0142, 0.0043, 0.0154, -0.0013)
BODY_STD = (0.1158, 0.068, 0.1337, 0.0711)

# What is kept of a box when a part is cut out: shares of its width and height.
PARTS = tuple(
    (x1, y1, x2, y2)
    for x1, x2 in ((0, 0.5), (0.5, 1), (0, 1))
    for y1, y2 in ((0, 0.5), (0.5, 1), (0, 1))
    if (x1, y1, x2, y2) != (0, 0, 1, 1)
)


@TRANSFORMS.register_module()
class DPG(BaseTransform):
    """Deep proposals generator: replace the box by one that a detector might have given, or by a part of it.

    For a train pipeline, after the image is loaded and before
    ``GetBBoxCenterScale``. With ``patch_prob`` the crop becomes a patch of
    85 to 100 % of it, otherwise each side of the box moves by its own
    Gaussian, in shares of the box's width or height. Then, with ``part_prob``
    and if enough points are inside, one of its four halves or four quadrants
    is kept. After a patch or a part, what lies outside is black, as what lies
    off the image is, and points there are absent: TopdownAffine would bring
    them back when it makes the box square.

    After the pose-guided proposals of RMPE (Fang et al., 2017) with the
    106-point reference's shares. There the sides move after the box was
    enlarged; here before, where a detector's error arises: in shares of the
    crop the difference is under a tenth.

    Reads ``bbox`` [1, 4] xyxy, ``keypoints`` [1, K, 2], ``img``; changes
    ``bbox``, ``keypoints_visible`` [1, K] and ``img``.

    Args:
        side_mean, side_std: of the moves of left, top, right and bottom, as shares of the box's size.
        padding: the one of the ``GetBBoxCenterScale`` that follows; patches and parts are cut from the padded box.
        patch_prob: share of faces cropped to a patch.
        part_prob: share of faces cut to a half or a quadrant, an eighth of it each.
        min_points: fewer points inside, and no part is cut out.
        active: off, the transform does nothing until
            :class:`facealign.engine.dpg_hook.DPGHook` switches it on.
    """

    def __init__(
        self,
        side_mean: tuple[float, ...] = BODY_MEAN,
        side_std: tuple[float, ...] = BODY_STD,
        padding: float = 1.25,
        patch_prob: float = 0.15,
        part_prob: float = 0.32,
        min_points: int = 14,
        active: bool = True,
    ) -> None:
        self.side_mean, self.side_std = np.array(side_mean), np.array(side_std)
        if self.side_mean.shape != (4,) or self.side_std.shape != (4,):
            raise ValueError('side_mean and side_std must be 4 numbers: left, top, right, bottom')
        self.padding = padding
        self.patch_prob, self.part_prob, self.min_points = patch_prob, part_prob, min_points
        # In shared memory, so that loader processes already running see the switch.
        self._active = torch.tensor(active).share_memory_()

    @property
    def active(self) -> bool:
        return bool(self._active)

    def switch(self, active: bool) -> None:
        """Turn on or off, in this process and in those that loaders have started."""
        self._active.share_memory_().fill_(active)  # a deep copy is not shared until told again

    def transform(self, results: dict) -> dict:
        if not self.active:
            return results
        box = results['bbox'][0].astype(float)
        cut = None
        if np.random.rand() < self.patch_prob:
            share = np.random.uniform(0.85, 1.0)
            corner = np.random.rand(2) * (1 - share)
            cut = take(scale_box(box, self.padding), (*corner, *(corner + share)))
        else:
            box = self._jitter(box)
        if np.random.rand() < self.part_prob:
            whole = scale_box(box, self.padding) if cut is None else cut
            if inside(results['keypoints'][0], whole).sum() >= self.min_points:
                cut = take(whole, PARTS[np.random.randint(len(PARTS))])
        if cut is not None:
            box = scale_box(cut, 1 / self.padding)
            results['img'] = _only(results['img'], cut)
            results['keypoints_visible'] = results['keypoints_visible'] * inside(results['keypoints'], cut)
        results['bbox'] = box[None].astype(np.float32)
        return results

    def _jitter(self, box: np.ndarray) -> np.ndarray:
        size = np.tile(box[2:] - box[:2], 2)
        box = box + np.random.normal(self.side_mean, self.side_std) * size
        box[2:] = np.maximum(box[2:], box[:2] + 2)
        return box


def scale_box(box: np.ndarray, factor: float) -> np.ndarray:
    """A box [4] xyxy made ``factor`` times as large about its centre."""
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    return np.concatenate([centre - half * factor, centre + half * factor])


def take(box: np.ndarray, part: tuple[float, ...]) -> np.ndarray:
    """The part x1, y1, x2, y2 (shares of width and height) of a box [4] xyxy.

    >>> take(np.array([10.0, 0, 30, 40]), (0.5, 0, 1, 0.5)).tolist()
    [20.0, 0.0, 30.0, 20.0]
    """
    return np.tile(box[:2], 2) + np.array(part) * np.tile(box[2:] - box[:2], 2)


def inside(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Which points [..., 2] lie in a box [4] xyxy: bool [...]."""
    return ((points >= box[:2]) & (points <= box[2:])).all(axis=-1)


def _only(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """A copy of the image that is black outside the box."""
    size = image.shape[1::-1]
    x1, y1 = np.clip(np.rint(box[:2]).astype(int), 0, size)
    x2, y2 = np.clip(np.rint(box[2:]).astype(int), 0, size)
    copy = np.zeros_like(image)
    copy[y1:y2, x1:x2] = image[y1:y2, x1:x2]
    return copy
