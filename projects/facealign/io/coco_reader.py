"""COCO keypoint JSON of this project: the one reader of it, which checks all that its users rely on."""

from __future__ import annotations

import math
import os
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

from facealign.errors import FaceAlignError
from facealign.markup import Markup, add_markup, get_markup
from facealign.markup_file import markup_from_dict
from facealign.structures.records import FaceRecord
from facealign.utils.reading import FARTHEST, is_number, parse_json, read_bytes, shown

_MAX_BYTES = 4 * 2**30  # a million faces of 174 points
_MAX_NAME = 4096  # characters of a file's name with its folders
_CHUNK = 2048  # annotations that are checked at once
_MAX_EXTRA_DEPTH = 8  # of what an entry holds beyond the fields of this project
_DRIVE = re.compile(r'[A-Za-z]:[\\/]')
_IMAGE_FIELDS = {
    *('id', 'file_name', 'width', 'height', 'source', 'subset', 'photo'),
    *('to_original', 'original_file_name', 'original_size'),
}
_ANNOTATION_FIELDS = {
    *('id', 'image_id', 'keypoints', 'bbox', 'face_bbox', 'face_score', 'attributes'),
}


@dataclass
class CocoFaces:
    """A file's faces, checked.

    Attributes:
        path: of the file.
        document: its JSON value, as :func:`facealign.io.coco.write_coco` describes it, except that the
            ``keypoints`` of each annotation are an array [K, 3] of x, y (0-based pixels) and v (0, 1 or 2).
        markup: of the points.
        root: folder of the images.
        images: entries of ``images`` by their id.
    """

    path: Path
    document: dict[str, Any]
    markup: Markup
    root: Path
    images: dict[int, dict[str, Any]]

    @property
    def info(self) -> dict[str, Any]:
        return self.document['info']

    @property
    def annotations(self) -> list[dict[str, Any]]:
        return self.document['annotations']

    def take_annotations(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Each annotation with its image's entry, in order; they are gone then, so that memory is free for others."""
        annotations = self.annotations
        annotations.reverse()
        while annotations:
            annotation = annotations.pop()
            yield annotation, self.images[annotation['image_id']]

    def records(self) -> list[FaceRecord]:
        """The faces as the readers of the datasets hand them on, of split ``train``."""
        return [
            FaceRecord(
                root=self.root,
                file_name=image['file_name'],
                points=np.where(annotation['keypoints'][:, 2:] > 0, annotation['keypoints'][:, :2], np.nan),
                size=(image['width'], image['height']),
                source=image.get('source', ''),
                split='train',
                face_box=None if annotation.get('face_bbox') is None else xyxy(annotation['face_bbox']),
            )
            for annotation, image in self.take_annotations()
        ]


class _WrongEntry(ValueError):
    """What is wrong, and where in the file, such as ``annotations[17].bbox``."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f'{place}: {problem}')


def read_coco(path: str | os.PathLike[str], remedy: str = 'make it with tools/convert_dataset.py') -> CocoFaces:
    """The faces of a JSON file of ``tools/convert_dataset.py``.

    Args:
        path: of the file.
        remedy: what to do where it is missing or of another kind, for messages.

    Raises:
        FaceAlignError: it cannot be read, is no such file, or an entry is wrong; the message names the place, such
            as ``annotations[17].keypoints``.
    """
    path = Path(path)
    try:
        document = parse_json(read_bytes(path, _MAX_BYTES), max_depth=None)
    except OSError as error:
        raise FaceAlignError(f'{path}: cannot be read ({error.strerror}); {remedy}') from error
    except ValueError as error:
        raise FaceAlignError(f'{path}: not a JSON file ({error}); {remedy}') from error
    parts = dict(info=dict, images=list, annotations=list)
    if not (isinstance(document, dict) and all(isinstance(document.get(key), kind) for key, kind in parts.items())):
        raise FaceAlignError(
            f'{path}: not a COCO keypoint file of this project, which has info, images and annotations; {remedy}'
        )
    try:
        _check_depth(document, set(parts), 'the file')
        markup, root = _check_info(document['info'], path)
        images = _check_images(document['images'])
        _check_annotations(document['annotations'], images, markup)
    except _WrongEntry as error:
        raise FaceAlignError(f'{path}: {error}; correct it or convert the data again') from error
    return CocoFaces(path, document, markup, root, images)


def xyxy(xywh: Sequence[float], dtype: type = np.float64) -> np.ndarray:
    """COCO's x, y, width, height → [4] x1, y1, x2, y2.

    >>> xyxy([1, 2, 10, 20])
    array([ 1.,  2., 11., 22.])
    """
    x, y, w, h = xywh
    return np.array([x, y, x + w, y + h], dtype)


def _check_info(info: dict[str, Any], path: Path) -> tuple[Markup, Path]:
    """The markup of the points and the folder of the images."""
    if 'markup' not in info:
        raise _WrongEntry('info.markup', 'missing, so that the numbering of the points is not known')
    _check_text(info, 'markup', 'info')
    try:
        if 'markup_definition' in info:
            markup = add_markup(markup_from_dict(info['markup_definition']))
            if markup.name != info['markup']:
                raise ValueError(f'its markup_definition is of {shown(markup.name)}')
        else:
            markup = get_markup(info['markup'])
    except ValueError as error:
        raise _WrongEntry('info.markup', str(error)) from error
    for key in ('image_root', 'boxes'):
        _check_text(info, key, 'info')
    _check_depth(info, {'markup', 'markup_definition', 'image_root', 'boxes'}, 'info')
    try:
        return markup, (path.parent / info.get('image_root', '.')).resolve()
    except (OSError, RuntimeError) as error:  # links in a circle
        raise _WrongEntry('info.image_root', f'{shown(info["image_root"])} leads nowhere') from error


def _check_images(entries: list[Any]) -> dict[int, dict[str, Any]]:
    """The entries by id."""
    images: dict[int, dict[str, Any]] = {}
    for i, image in enumerate(entries):
        place = f'images[{i}]'
        _check_entry(image, images, place)
        images[image['id']] = image
        if not _is_relative(image.get('file_name')):
            problem = f'{shown(image.get("file_name"))} is not the name of a file below the folder of the images'
            raise _WrongEntry(f'{place}.file_name', problem)
        for key in ('width', 'height'):
            side = image.get(key)
            if not (type(side) is int and 1 <= side <= FARTHEST):
                raise _WrongEntry(f'{place}.{key}', f'{shown(side)} is not a number of pixels')
        for key in ('source', 'subset', 'photo', 'original_file_name'):
            _check_text(image, key, place)
        _check_original(image, place)
        _check_depth(image, _IMAGE_FIELDS, place)
    return images


def _check_original(image: dict[str, Any], place: str) -> None:
    matrix, size = image.get('to_original'), image.get('original_size')
    if matrix is not None and not (
        isinstance(matrix, list) and len(matrix) == 2 and all(_are_numbers(row, 3) for row in matrix)
    ):
        raise _WrongEntry(f'{place}.to_original', f'{shown(matrix)} is not 2 rows of 3 numbers')
    if size is not None and not (_are_numbers(size, 2) and min(size) >= 1):
        raise _WrongEntry(f'{place}.original_size', f'{shown(size)} is not a width and a height in pixels')


def _check_annotations(entries: list[Any], images: dict[int, dict[str, Any]], markup: Markup) -> None:
    """Check them, and turn their keypoints into arrays, chunk by chunk: the lists of 100,000 faces take gigabytes."""
    ids: set[int] = set()
    for start in range(0, len(entries), _CHUNK):
        chunk = entries[start : start + _CHUNK]
        for i, annotation in enumerate(chunk, start):
            place = f'annotations[{i}]'
            _check_entry(annotation, ids, place)
            ids.add(annotation['id'])
            image_id = annotation.get('image_id')
            if type(image_id) is not int or image_id not in images:
                raise _WrongEntry(f'{place}.image_id', f'{shown(image_id)} is no id of images')
            _check_attributes(annotation.get('attributes'), place)
            _check_depth(annotation, _ANNOTATION_FIELDS, place)
        _check_boxes(chunk, start)
        _check_keypoints(chunk, start, markup)


def _check_boxes(chunk: list[dict[str, Any]], start: int) -> None:
    numbered = list(enumerate(chunk, start))
    boxed = [(i, annotation) for i, annotation in numbered if annotation.get('face_bbox') is not None]
    for key, having in (('bbox', numbered), ('face_bbox', boxed)):
        boxes = _array(having, key, 4)
        wrong = (boxes[:, 2:] < 0).any(axis=1)
        if wrong.any():
            i, annotation = having[int(wrong.argmax())]
            raise _WrongEntry(f'annotations[{i}].{key}', f'width or height is negative in {annotation[key]}')
    for i, annotation in numbered:
        score = annotation.get('face_score')
        if score is not None and not is_number(score):
            raise _WrongEntry(f'annotations[{i}].face_score', f'{shown(score)} is not a number')


def _check_keypoints(chunk: list[dict[str, Any]], start: int, markup: Markup) -> None:
    numbered = list(enumerate(chunk, start))
    keypoints = _array(numbered, 'keypoints', 3 * markup.num_keypoints).reshape(len(chunk), -1, 3)
    visibility = keypoints[..., 2]
    wrong = ~((visibility == 0) | (visibility == 1) | (visibility == 2)).all(axis=1)
    if wrong.any():
        raise _WrongEntry(
            f'annotations[{start + int(wrong.argmax())}].keypoints', 'a visibility (each third number) is not 0, 1 or 2'
        )
    empty = ~visibility.any(axis=1)
    if empty.any():
        i, annotation = numbered[int(empty.argmax())]
        raise _WrongEntry(f'annotations[{i}].keypoints', f'face {annotation["id"]} has no annotated point')
    for annotation, points in zip(chunk, keypoints):
        annotation['keypoints'] = points


def _array(numbered: list[tuple[int, dict[str, Any]]], key: str, count: int) -> np.ndarray:
    """The lists of ``count`` numbers under ``key``, as an array [N, count]."""
    # NumPy would take strings and null for numbers, or make room for N times the longest string.
    values = array('d')
    for i, annotation in numbered:
        value: Any = annotation.get(key)
        try:
            if len(value) != count:
                raise TypeError
            values.fromlist(value)
        except (TypeError, OverflowError):
            raise _wrong_numbers(f'annotations[{i}].{key}', value, count) from None
    rows = np.frombuffer(values).reshape(-1, count)
    far = ~(np.abs(rows) <= FARTHEST).all(axis=1)
    if far.any():
        i, annotation = numbered[int(far.argmax())]
        raise _wrong_numbers(f'annotations[{i}].{key}', annotation[key], count)
    return rows


def _wrong_numbers(place: str, value: Any, count: int) -> _WrongEntry:
    if not isinstance(value, list):
        return _WrongEntry(place, f'{shown(value)}, not a list of {count} numbers')
    if len(value) != count:
        return _WrongEntry(place, f'{len(value)} values, not {count}')
    wrong = next((item for item in value if not is_number(item)), value)
    return _WrongEntry(place, f'{shown(wrong)} is not a number between plus and minus a million')


def _are_numbers(value: Any, count: int) -> bool:
    return isinstance(value, list) and len(value) == count and all(is_number(item) for item in value)


def _check_entry(entry: Any, taken: Any, place: str) -> None:
    """Refuse what is no object, and an id that is none or ``taken``."""
    if not isinstance(entry, dict):
        raise _WrongEntry(place, f'{shown(entry)} is not an object')
    number = entry.get('id')
    if type(number) is not int or abs(number) >= 2**63:
        raise _WrongEntry(f'{place}.id', f'{shown(number)} is not a whole number')
    if number in taken:
        raise _WrongEntry(f'{place}.id', f'{number} is there twice')


def _check_text(entry: dict[str, Any], key: str, place: str) -> None:
    value = entry.get(key, '')
    if not isinstance(value, str) or '\0' in value or len(value) > _MAX_NAME:
        raise _WrongEntry(f'{place}.{key}', f'{shown(value)} is not a text')


def _check_attributes(attributes: Any, place: str) -> None:
    if attributes is None:
        return
    if not isinstance(attributes, dict):
        raise _WrongEntry(f'{place}.attributes', f'{shown(attributes)} is not an object')
    for name, value in attributes.items():
        if not (isinstance(value, str | bool) or value is None or is_number(value)):
            raise _WrongEntry(f'{place}.attributes', f'{shown(name)} is {shown(value)}, not a text')


def _check_depth(entry: dict[str, Any], known: set[str], place: str) -> None:
    """Fields that this project does not use are kept, unless writing them would fail."""
    for key in entry.keys() - known:
        if not _is_flat(entry[key], _MAX_EXTRA_DEPTH):
            raise _WrongEntry(place, f'{shown(key)} is nested too deeply or holds an infinite number')


def _is_flat(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return depth > 0 and all(_is_flat(item, depth - 1) for item in value)
    return not (isinstance(value, float) and math.isinf(value))


def _is_relative(name: Any) -> bool:
    r"""Whether ``name`` is a path to a file below its folder, on any system.

    >>> [_is_relative(name) for name in ('a/b.jpg', '../a.jpg', '/a.jpg', 'C:\\a.jpg', '', 1)]
    [True, False, False, False, False, False]
    """
    if not isinstance(name, str) or not name.strip() or '\0' in name or len(name) > _MAX_NAME:
        return False
    return not (name.startswith(('/', '\\')) or _DRIVE.match(name) or '..' in PureWindowsPath(name).parts)
