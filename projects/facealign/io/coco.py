"""Faces as COCO keypoint JSON: the one writer of it, for MMPose, xtcocotools and pycocotools too.

:mod:`facealign.io.coco_reader` reads it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from facealign import __version__
from facealign.markup import Markup, is_shipped
from facealign.markup_file import markup_to_dict
from facealign.structures.records import FaceRecord
from facealign.utils.parallel import show_progress

# A billionth of a pixel: hides binary noise such as 0.30000000000000004.
_DECIMALS = 9


def write_coco(
    file: TextIO,
    faces: Sequence[FaceRecord],
    markup: Markup,
    *,
    split: str,
    boxes: str,
    image_root: str,
) -> None:
    """Write one split as COCO JSON, entry by entry; the same faces give the same bytes.

    Ids count from 1, in the order of ``faces``. ``bbox`` [x, y, w, h] is the
    rectangle of the annotated points, not clipped; ``face_bbox`` that of the
    detector, or null. Keypoints are x, y, v in 0-based pixels: v = 2, or 1 for
    a hidden point, or 0 with x = y = 0 for a missing one.

    Args:
        file: open for writing text.
        faces: of one markup.
        markup: of their points.
        split: its name, for ``info``.
        boxes: the detector's name, for ``info``.
        image_root: the folder of the images, relative to the JSON file's.
    """
    info: dict[str, Any] = dict(
        description=f'faces for facealign, split {split}',
        markup=markup.name,
        facealign_version=__version__,
        image_root=image_root,
        boxes=boxes,
        split=split,
    )
    if not is_shipped(markup):
        info['markup_definition'] = markup_to_dict(markup)
    first_faces: dict[str, FaceRecord] = {}
    for face in faces:
        first_faces.setdefault(face.file_name, face)
    image_ids = {file_name: number for number, file_name in enumerate(first_faces, start=1)}
    file.write(f'{{"info":{_json(info)},"licenses":[],"images":')
    _write_list(file, (_image(face, image_ids[name]) for name, face in first_faces.items()))
    file.write(',"annotations":')
    counted = show_progress(enumerate(faces, start=1), f'writing {split}', len(faces))
    _write_list(file, (_annotation(face, number, image_ids[face.file_name]) for number, face in counted))
    file.write(f',"categories":{_json([face_category(markup)])}}}\n')


def face_category(markup: Markup) -> dict[str, Any]:
    """The entry of ``categories``: names of the points, and lines between them (COCO counts points from 1)."""
    return dict(
        id=1,
        name='face',
        supercategory='face',
        keypoints=list(markup.keypoint_names),
        skeleton=[[a + 1, b + 1] for a, b in markup.skeleton],
    )


def relative_root(images: str | os.PathLike[str], json_folder: str | os.PathLike[str]) -> str:
    """The image folder as seen from the JSON file's, links resolved; absolute only on another drive."""
    root, base = Path(images).resolve(), Path(json_folder).resolve()
    try:
        return Path(os.path.relpath(root, base)).as_posix()
    except ValueError:
        return root.as_posix()


def _image(face: FaceRecord, image_id: int) -> dict[str, Any]:
    image = dict(
        id=image_id,
        file_name=face.file_name,
        width=face.size[0],
        height=face.size[1],
        source=face.source,
        subset=face.subset,
        photo=face.photo,
    )
    if face.original is not None:
        image['to_original'] = face.original.to_original.tolist()
        image['original_file_name'] = face.original.file_name
        image['original_size'] = list(face.original.size)
    return image


def _annotation(face: FaceRecord, annotation_id: int, image_id: int) -> dict[str, Any]:
    visible = face.keypoints_visible.tolist()
    keypoints: list[float] = []
    for (x, y), v in zip(np.round(face.points, _DECIMALS).tolist(), visible):
        keypoints += [x, y, v] if v else [0, 0, 0]
    box = _xywh(face.landmark_box)
    annotation = dict(
        id=annotation_id,
        image_id=image_id,
        category_id=1,
        keypoints=keypoints,
        num_keypoints=sum(v > 0 for v in visible),
        bbox=box,
        face_bbox=None if face.face_box is None else _xywh(face.face_box),
        face_score=None if face.face_score is None else _numbers([face.face_score])[0],
        area=_numbers([box[2] * box[3]])[0],
        iscrowd=0,
    )
    if face.attributes:
        annotation['attributes'] = face.attributes
    return annotation


def _write_list(file: TextIO, entries: Iterable[dict[str, Any]]) -> None:
    between = '['
    for entry in entries:
        file.write(between + _json(entry))
        between = ','
    file.write('[]' if between == '[' else ']')


def _json(value: Any) -> str:
    return json.dumps(value, separators=(',', ':'), ensure_ascii=False, allow_nan=False)


def _xywh(box: np.ndarray) -> list[float]:
    return _numbers([box[0], box[1], box[2] - box[0], box[3] - box[1]])


def _numbers(values: Sequence[float]) -> list[float]:
    return [round(float(value), _DECIMALS) for value in values]
