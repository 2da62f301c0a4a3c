"""Pipeline steps that MMPose and mmcv lack; everything else in the configs is theirs."""

from __future__ import annotations

from collections import OrderedDict

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpose.datasets.transforms import (
    LoadImage,
    PackPoseInputs,
    PhotometricDistortion,
    RandomBBoxTransform,
    RandomFlip,
)
from mmpose.registry import TRANSFORMS

from facealign.io.image import read_image

FACE_META_KEYS = (
    'id',
    'img_id',
    'img_path',
    'ori_shape',
    'input_size',
    'input_center',
    'input_scale',
    'flip_indices',
    'file_name',
    'subset',
    'source',
    'landmark_bbox',
    'face_bbox',
    'box',
    'detected',
    'visibility',
    'attributes',
    'to_original',
    'original_size',
)


@TRANSFORMS.register_module()
class LoadFaceImage(LoadImage):
    """MMPose's ``LoadImage``, by the reader of all other commands, which can keep decoded images in memory.

    Args:
        cache_mib: room for decoded images, in MiB, in each process; when it is
            full, images not in it are decoded every time. Written for images
            cut out with ``convert_dataset.py --crop``: 2,000 take 0.5 GiB.

    Raises:
        FaceAlignError: the file cannot be decoded.
    """

    def __init__(self, cache_mib: float = 0, **kwargs) -> None:
        super().__init__(**kwargs)
        self._room = int(cache_mib * 2**20)
        self._images: OrderedDict[str, np.ndarray] = OrderedDict()

    def transform(self, results: dict) -> dict:
        if 'img' in results:  # from a program that has it in memory, such as MMPose's inference
            return super().transform(results)
        image = self._images.get(results['img_path'])
        if image is None:
            image = read_image(results['img_path'], min_side=1)
            if image.nbytes <= self._room:
                self._room -= image.nbytes
                self._images[results['img_path']] = image
        results['img'] = image
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results


@TRANSFORMS.register_module()
class RandomFaceBox(RandomBBoxTransform):
    """MMPose's ``RandomBBoxTransform``, drawing its numbers in a hundredth of the time.

    SciPy's truncated normal takes a fifth of what all augmentation of a face takes.
    """

    @staticmethod
    def _truncnorm(low: float = -1.0, high: float = 1.0, size: tuple[int, ...] = ()) -> np.ndarray:
        """Standard normal numbers between ``low`` and ``high``: those outside are drawn again."""
        drawn = np.random.standard_normal(size)
        while (outside := (drawn < low) | (drawn > high)).any():
            drawn[outside] = np.random.standard_normal(int(outside.sum()))
        return drawn.astype(np.float32)


@TRANSFORMS.register_module()
class RandomFaceFlip(RandomFlip):
    """MMPose's ``RandomFlip``, whose mirrored image is an array that OpenCV reads without copying it.

    MMPose gives a view that runs backwards; OpenCV's copy of one takes longer than all the rest of the augmentation.
    """

    def transform(self, results: dict) -> dict:
        results = super().transform(results)
        if results['flip_direction'] == 'horizontal':
            results['img'] = cv2.flip(results['img'][:, ::-1], 1)
        return results


@TRANSFORMS.register_module()
class FacePhotometricDistortion(PhotometricDistortion):
    """MMPose's ``PhotometricDistortion``, which looks brightness and contrast up in a table of the 256 values."""

    def _convert(self, img: np.ndarray, alpha: float = 1, beta: float = 0) -> np.ndarray:
        return cv2.LUT(img, super()._convert(np.arange(256, dtype=np.uint8), alpha, beta))


@TRANSFORMS.register_module()
class RandomPhotoEdge(BaseTransform):
    """Let the photo end close to the face, as many do: what lies beyond becomes border in the crop.

    Comes before the affine, so that the edge turns with the photo.

    Args:
        prob: of each side being cut.
        room: range of the distance between the side and the rectangle of the
            annotated points, as a share of the rectangle's longer side;
            negative cuts into the face.
    """

    def __init__(self, prob: float = 0.2, room: tuple[float, float] = (-0.05, 0.25)) -> None:
        self.prob, self.room = prob, room

    def transform(self, results: dict) -> dict:
        cut = np.random.rand(4) < self.prob
        room = np.random.uniform(*self.room, 4)
        if not cut.any():
            return results
        points = results['keypoints'][0][results['keypoints_visible'][0] > 0]
        low, high = points.min(axis=0), points.max(axis=0)
        room *= (high - low).max()
        height, width = results['img'].shape[:2]
        sides = np.where(cut, [*(low - room[:2]), *(high + room[2:])], [0, 0, width, height])
        x1, y1 = np.clip(sides[:2], 0, None).astype(int)
        x2, y2 = np.clip(sides[2:], None, [width, height]).astype(int)
        results['img'] = results['img'][y1:y2, x1:x2]
        results['img_shape'] = results['img'].shape[:2]
        offset = np.array([x1, y1], dtype=np.float32)
        results['keypoints'] = results['keypoints'] - offset
        results['bbox'] = results['bbox'] - np.tile(offset, 2)
        return results


@TRANSFORMS.register_module()
class RandomOcclusion(BaseTransform):
    """Cover a random rectangle of the crop with a plain colour, noise or a piece of the crop itself.

    After random erasing (Zhong et al., 2017) and STAR's augmentation (Zhou et al., 2023).

    Args:
        prob: of covering anything.
        max_size: longest side of the rectangle, as a share of the crop's.
    """

    def __init__(self, prob: float = 0.4, max_size: float = 0.5) -> None:
        self.prob, self.max_size = prob, max_size

    def transform(self, results: dict) -> dict:
        if np.random.rand() >= self.prob:
            return results
        image = results['img'] = results['img'].copy()
        height, width = image.shape[:2]
        w, h = (np.random.uniform(0.1, self.max_size, 2) * (width, height)).astype(int) + 1
        x, y = np.random.randint(0, width - w + 1), np.random.randint(0, height - h + 1)
        kind = np.random.randint(3)
        if kind == 0:
            image[y : y + h, x : x + w] = np.random.randint(0, 256, 3)
        elif kind == 1:
            image[y : y + h, x : x + w] = np.random.randint(0, 256, (h, w, 3))
        else:
            from_x, from_y = np.random.randint(0, width - w + 1), np.random.randint(0, height - h + 1)
            image[y : y + h, x : x + w] = image[from_y : from_y + h, from_x : from_x + w].copy()
        return results


@TRANSFORMS.register_module()
class RandomPhoto(BaseTransform):
    """What light, lens, sensor and file format do to a crop: gamma, blur, low resolution, noise, JPEG.

    Args:
        gamma, blur, shrink, noise, jpeg: the probability of each.
    """

    def __init__(
        self, gamma: float = 0.2, blur: float = 0.2, shrink: float = 0.15, noise: float = 0.15, jpeg: float = 0.1
    ) -> None:
        self.gamma, self.blur, self.shrink, self.noise, self.jpeg = gamma, blur, shrink, noise, jpeg

    def transform(self, results: dict) -> dict:
        image = np.ascontiguousarray(results['img'])
        height, width = image.shape[:2]
        chance = np.random.rand(5)
        if chance[0] < self.gamma:
            table = 255 * np.linspace(0, 1, 256) ** np.exp(np.random.uniform(-0.9, 0.9))
            image = cv2.LUT(image, table.astype(np.uint8))
        if chance[1] < self.blur:
            image = cv2.GaussianBlur(image, (0, 0), np.random.uniform(0.3, 0.015 * max(height, width)))
        if chance[2] < self.shrink:
            scale = np.random.uniform(0.25, 0.7)
            small = (max(1, round(width * scale)), max(1, round(height * scale)))
            image = cv2.resize(cv2.resize(image, small, interpolation=cv2.INTER_AREA), (width, height))
        if chance[3] < self.noise:
            noise = np.empty(image.shape, np.int16)
            cv2.setRNGSeed(np.random.randint(2**31))
            cv2.randn(noise, 0, np.random.uniform(2, 15))
            image = np.clip(image + noise, 0, 255).astype(np.uint8)
        if chance[4] < self.jpeg:
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(np.random.randint(20, 80))]
            image = cv2.imdecode(cv2.imencode('.jpg', image, quality)[1], cv2.IMREAD_COLOR)
        results['img'] = image
        return results


@TRANSFORMS.register_module()
class PackFaceInputs(PackPoseInputs):
    """MMPose's packing, with what this project's metrics read as meta keys."""

    def __init__(self, meta_keys: tuple[str, ...] = FACE_META_KEYS, **kwargs) -> None:
        super().__init__(meta_keys=(), **kwargs)
        self.face_meta_keys = meta_keys

    def transform(self, results: dict) -> dict:
        # MMPose copies the image to channels-first order, where networks want channels last, and every meta key deeply.
        image = results['img']
        packed = super().transform({**results, 'img': image[:1, :1]})
        packed['inputs'] = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)
        for key in self.face_meta_keys:
            if key in results:
                packed['data_samples'].set_field(results[key], key, field_type='metainfo')
        return packed
