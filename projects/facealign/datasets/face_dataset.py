"""The MMPose dataset of the COCO JSON that ``tools/convert_dataset.py`` writes."""

from __future__ import annotations

import hashlib
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import ConcatDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from facealign.errors import FaceAlignError
from facealign.io.coco_reader import CocoFaces, read_coco, xyxy
from facealign.markup import Markup, get_markup

BOXES = ('landmarks', 'detector')


@DATASETS.register_module()
class FaceDataset(BaseCocoStyleDataset):
    """Annotated faces, one sample a face, for MMPose's top-down pipelines.

    Args:
        ann_file: JSON file, relative to ``data_root``.
        markup: name of the points' numbering; must be the JSON file's own. None
            takes the file's, whatever it is.
        box: what the crop is made from: ``landmarks`` (the rectangle of the
            annotated points) or ``detector`` (``face_bbox``). In training and
            in test, a face that the detector did not find is cropped by its
            landmark rectangle; its sample says ``detected=False``, so that a
            metric can count it as missed.
        among: the name of several markups in a row, such as
            ``ibug68+datatang106``: the points take their place in it, the
            others are absent. For networks that learn several at once.
        kwargs: of MMPose's ``BaseCocoStyleDataset``.

    A sample drawn as ``(seed, epoch, index)`` by
    :class:`facealign.datasets.sampler.SeededSampler` is augmented with random
    numbers that depend on these three alone: not on the worker, nor on whether
    the run was resumed.

    Raises:
        FaceAlignError: the file is missing, not such a JSON file, or of another markup.
    """

    def __init__(
        self,
        ann_file: str = '',
        markup: str | None = 'ibug68',
        box: str = 'landmarks',
        among: str | None = None,
        **kwargs: Any,
    ) -> None:
        if box not in BOXES:
            raise FaceAlignError(f'box={box!r} of FaceDataset: not one of {", ".join(BOXES)}')
        self.box = box
        self._coco: CocoFaces | None = None
        self.markup = self._markup_of(markup, Path(kwargs.get('data_root') or '', ann_file))
        whole = get_markup(among or self.markup.name)
        self._room = (0, 0) if among is None else room_around(whole, self.markup)
        super().__init__(ann_file=ann_file, metainfo=whole.metainfo(), **kwargs)

    def _markup_of(self, name: str | None, path: Path) -> Markup:
        """The markup called ``name``, which only the annotation file may know; None is the file's own."""
        try:
            if name is not None:
                return get_markup(name)
        except ValueError:
            if not path.is_file():
                raise
        self._coco = read_coco(path, _remedy(path))
        return self._coco.markup if name is None else get_markup(name)

    def __getitem__(self, index: int | tuple[int, int, int]) -> dict:
        if isinstance(index, tuple):
            seed, epoch, index = index
            digest = hashlib.blake2b(f'{seed}:{epoch}:{index}'.encode(), digest_size=4).digest()
            state = int.from_bytes(digest, 'little')
            np.random.seed(state)
            random.seed(state)
        return super().__getitem__(index)

    def get_data_info(self, idx: int) -> dict:
        """A fresh dictionary for the pipeline; the markup's parts are shared, MMPose's base copies them deeply."""
        info = super(BaseCocoStyleDataset, self).get_data_info(idx)
        for key in ('flip_indices', 'flip_pairs', 'dataset_keypoint_weights'):
            info[key] = self._metainfo[key]
        return info

    def load_data_list(self) -> list[dict]:
        """One dictionary a face, in the order of the file's annotations."""
        path = Path(self.ann_file)
        coco, self._coco = self._coco or read_coco(path, _remedy(path)), None
        if coco.markup.name != self.markup.name:
            raise FaceAlignError(
                f'{path}: its points are {coco.markup.name}, not {self.markup.name}; choose a config of that markup'
            )
        root = str(coco.root)
        faces = [
            self._face(annotation, image, os.path.join(root, image['file_name']))
            for annotation, image in coco.take_annotations()
        ]
        if not faces:
            raise FaceAlignError(f'{path}: holds no faces; convert the data again')
        return faces

    def _face(self, annotation: dict, image: dict, path: str) -> dict:
        keypoints = annotation['keypoints'].astype(np.float32)[None]
        visibility = keypoints[..., 2]
        landmark_bbox = xyxy(annotation['bbox'], np.float32)
        face_bbox = None if annotation.get('face_bbox') is None else xyxy(annotation['face_bbox'], np.float32)
        box = face_bbox if self.box == 'detector' and face_bbox is not None else landmark_bbox
        return dict(
            id=annotation['id'],
            img_id=annotation['image_id'],
            img_path=path,
            category_id=1,
            bbox=box[None],
            bbox_score=np.ones(1, dtype=np.float32),
            keypoints=np.pad(keypoints[..., :2], ((0, 0), self._room, (0, 0))),
            keypoints_visible=np.pad(np.minimum(1, visibility), ((0, 0), self._room)),
            visibility=visibility[0].astype(np.uint8),
            file_name=image['file_name'],
            subset=image.get('subset', ''),
            source=image.get('source', ''),
            landmark_bbox=landmark_bbox,
            face_bbox=face_bbox,
            box=box,
            detected=self.box == 'landmarks' or face_bbox is not None,
            attributes=annotation.get('attributes') or {},
            to_original=image.get('to_original'),
            original_size=image.get('original_size'),
        )


@DATASETS.register_module()
class JointFaceDataset(ConcatDataset):
    """Several :class:`FaceDataset`, of one markup or ``among`` the same ones, as one; MMEngine's, for SeededSampler."""

    def __getitem__(self, index: int | tuple[int, int, int]) -> dict:
        if not isinstance(index, tuple):
            return super().__getitem__(index)
        seed, epoch, index = index
        part, index = self._get_ori_dataset_idx(index)
        return self.datasets[part][seed + part, epoch, index]


def room_around(whole: Markup, part: Markup) -> tuple[int, int]:
    """How many points of ``whole`` come before and after those of ``part``."""
    first = f'{part.name}_{part.keypoint_names[0]}'
    if first not in whole.keypoint_names:
        raise FaceAlignError(f'among={whole.name!r} of FaceDataset: does not hold {part.name}')
    before = whole.keypoint_names.index(first)
    return before, whole.num_keypoints - before - part.num_keypoints


def _remedy(path: Path) -> str:
    tool = 'complete_points' if path.stem.endswith('_completed') else 'convert_dataset'
    return f'make it with tools/{tool}.py, or point data_root (FACEALIGN_DATA) to its folder'
