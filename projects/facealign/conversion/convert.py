"""From a dataset's own folders to COCO JSON: read, split, find boxes, crop, write."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facealign.conversion.crop import crop_faces
from facealign.conversion.doubtful import find_doubtful
from facealign.conversion.duplicates import Fingerprint, find_duplicates, group_duplicates, read_fingerprints
from facealign.conversion.hand_placed import keep_hand_placed
from facealign.conversion.own_points import inferred_markup, markup_of_pts, named_markup
from facealign.conversion.readers.datatang import read_datatang
from facealign.conversion.readers.datatang_h5 import read_datatang_h5
from facealign.conversion.readers.lapa import read_lapa
from facealign.conversion.readers.menpo import read_menpo
from facealign.conversion.readers.pts_folder import read_pts_folder
from facealign.conversion.readers.w300 import read_300w
from facealign.conversion.split_option import apply_split, find_list, hold_out_val
from facealign.conversion.splits import assign_photos, video_of
from facealign.conversion.summary import RepeatedPhoto, summarise, summarise_repeats
from facealign.errors import FaceAlignError
from facealign.io.box_table import has_boxes, read_box_csv
from facealign.io.coco import relative_root, write_coco
from facealign.markup import Markup, get_markup, is_shipped
from facealign.markup_file import markup_to_dict
from facealign.structures.boxes import assign_boxes
from facealign.structures.records import FaceRecord, Gathered
from facealign.utils.files import atomic_path, atomic_write_json, ensure_writable, sweep_partial

# Each format and the markup its points are in.
FORMATS = {'300w': 'ibug68', 'menpo': 'ibug68', 'pts': 'ibug68', 'datatang': 'datatang106', 'lapa': 'lapa106'}
Detect = Callable[[list[Path]], list[np.ndarray | None]]


@dataclass(frozen=True)
class Options:
    """How to convert; see ``tools/convert_dataset.py --help`` for the meaning of each.

    ``boxes`` is ``landmarks``, ``csv:FILE`` or a detector's name, for which
    ``detect`` runs it: image paths → detections [M, 5] a path, None for an
    image that cannot be decoded. None takes the split list's boxes if it has
    any, otherwise ``landmarks``. ``markup`` None is the format's own.
    ``duplicates`` looks for photos that occur more than once.
    """

    split: str = 'official'
    boxes: str | None = None
    detect: Detect | None = None
    val: str | None = 'random:0.1'
    seed: int = 0
    exif: str = 'shown'
    markup: str | None = None
    images: Path | None = None
    crop: bool = False
    crop_margin: float = 0.5
    crop_face: float = 256
    duplicates: bool = True
    hand_placed: Path | None = None
    workers: int | None = None


def convert(dataset_format: str, source: Path, out: Path, options: Options) -> dict[str, Any]:
    """Convert the faces in ``source`` to ``out/SPLIT.json`` and ``out/summary.json``.

    Nothing is written to ``out`` before everything is read and, where asked
    for, detected and cropped; then all its JSON files change at once, and those
    of an earlier conversion that are no longer made are removed.

    Returns:
        the summary (see :func:`facealign.conversion.summary.summarise`).

    Raises:
        FaceAlignError: anything the user can put right.
    """
    markup: Markup | int = get_markup(FORMATS[dataset_format])
    if options.markup is not None:
        markup = named_markup(options.markup)
        if dataset_format != 'pts' and not is_shipped(markup):
            raise FaceAlignError(
                f'--markup {options.markup}: points of {dataset_format} are none of these; leave it out'
            )
    elif dataset_format == 'pts':
        markup = markup_of_pts(source)
    with _frames_folder(out, keep=not options.crop) as frames:
        return _convert(dataset_format, source, out, options, markup, frames)


@contextmanager
def _frames_folder(out: Path, keep: bool) -> Iterator[Path]:
    """Where the annotated frames of videos go; it stays only if all goes well and they are to be read from there."""
    frames = out / 'frames'
    before = frames.exists()
    try:
        yield frames
        before = before or keep
    finally:
        if not before:
            shutil.rmtree(frames, ignore_errors=True)


def _convert(
    dataset_format: str, source: Path, out: Path, options: Options, given: Markup | int, frames: Path
) -> dict[str, Any]:
    num_points = given if isinstance(given, int) else given.num_keypoints
    gathered = _read(dataset_format, source, options, num_points, frames)
    markup = inferred_markup(gathered.faces, source) if isinstance(given, int) else given
    if options.hand_placed is not None:
        keep_hand_placed(gathered.faces, options.hand_placed)
        _leave_out_empty(gathered)
    # Any folder's .pts files are taken to be in the markup named; the other formats have their own.
    own = markup if dataset_format == 'pts' else get_markup(FORMATS[dataset_format])
    if own is not markup:
        gathered.faces = [face.in_markup(own, markup) for face in gathered.faces]
    sweep_partial(ensure_writable(out))
    repeated = _repeated_photos(gathered.faces, options.workers) if options.duplicates else []
    assign_photos(gathered.faces, [photo.faces for photo in repeated])
    folder = source if source.is_dir() else source.parent
    apply_split(gathered, options.split, options.seed, folder)
    repeats = summarise_repeats(repeated, gathered.faces) if options.duplicates else None
    boxes, not_listed = _find_boxes(gathered, options, folder)
    if options.crop:
        images = out / 'images'
        cropped = crop_faces(gathered.faces, images, options.crop_margin, options.crop_face, options.workers)
        _keep(gathered, list(zip(gathered.faces, cropped)))
    else:
        images = _one_root(gathered.faces)
    splits = _with_unions(gathered.faces)
    hold_out_val(splits, options.val, options.seed, required=options.val != Options.val)
    summary = dict(
        format=dataset_format,
        markup=markup.name,
        markup_inferred=markup_to_dict(markup) if isinstance(given, int) else None,
        split=_public(options.split),
        val=options.val,
        seed=options.seed,
        exif=options.exif,
        **summarise(gathered, splits, boxes, not_listed, repeats, find_doubtful(gathered.faces, markup)),
    )
    outdated = _splits_written(out) - splits.keys()
    with ExitStack() as stack:
        for name, faces in splits.items():
            temporary = stack.enter_context(atomic_path(out / f'{name}.json'))
            with open(temporary, 'w', encoding='utf-8', newline='\n') as file:
                write_coco(file, faces, markup, split=name, boxes=boxes, image_root=relative_root(images, out))
    atomic_write_json(out / 'summary.json', summary, indent=1)
    for name in outdated:
        (out / f'{name}.json').unlink(missing_ok=True)
    return summary


def _leave_out_empty(gathered: Gathered) -> None:
    for face in gathered.faces:
        if not face.annotated.any():
            gathered.leave_out(face.file_name, 'no point placed by hand')
    gathered.faces = [face for face in gathered.faces if face.annotated.any()]


def _one_root(faces: list[FaceRecord]) -> Path:
    """The folder that the images of ``faces`` are named from; raises FaceAlignError where frames lie in another."""
    if len({face.root for face in faces}) > 1:
        raise FaceAlignError(
            f'{faces[0].root}: holds images and videos; add --crop, which writes both to one folder, '
            'or convert them one by one'
        )
    return faces[0].root


def _read(dataset_format: str, source: Path, options: Options, num_points: int, frames: Path) -> Gathered:
    exif, workers = options.exif, options.workers
    if dataset_format == '300w':
        return read_300w(source, exif)
    if dataset_format == 'menpo':
        return read_menpo(source, exif)
    if dataset_format == 'lapa':
        return read_lapa(source, exif, workers)
    if dataset_format == 'datatang':
        if source.suffix == '.h5' and not source.is_dir():
            return read_datatang_h5(source, options.images or source.parent, exif, workers)
        return read_datatang(source, exif, workers)
    return read_pts_folder(source, num_points, exif, frames, workers)


def _repeated_photos(faces: list[FaceRecord], workers: int | None) -> list[RepeatedPhoto]:
    """The photos that ``faces`` show more than once, found by their content."""
    by_image: dict[Path, list[int]] = {}
    for i, face in enumerate(faces):
        by_image.setdefault(face.path, []).append(i)
    images = [(path, [faces[i].points for i in indices]) for path, indices in by_image.items()]
    prints: list[Fingerprint | None] = [None] * len(faces)
    for indices, found in zip(by_image.values(), read_fingerprints(images, workers)):
        for i, entry in zip(indices, found):
            prints[i] = entry
    pairs = find_duplicates(prints, [video_of(face.file_name) for face in faces])
    mirrored = {i for pair in pairs if pair.mirrored for i in (pair.first, pair.second)}
    groups = group_duplicates(pairs, len(faces))
    return [RepeatedPhoto([faces[i] for i in group], not mirrored.isdisjoint(group)) for group in groups]


def _find_boxes(gathered: Gathered, options: Options, folder: Path) -> tuple[str, int]:
    boxes = options.boxes
    if boxes is None:
        kind, _, value = options.split.partition(':')
        boxes = options.split if kind == 'csv' and has_boxes(find_list(value, folder)) else 'landmarks'
    if boxes == 'landmarks':
        return boxes, 0
    if boxes.startswith('csv:'):
        path = find_list(boxes[4:], folder)
        detections = read_box_csv(path, [face.file_name for face in gathered.faces])
        if not detections:
            raise FaceAlignError(f'{path}: names none of the images; its paths must be relative to the data folder')
        assign_boxes(gathered.faces, detections)
        return _public(boxes), sum(face.file_name not in detections for face in gathered.faces)
    assert options.detect is not None
    paths = {face.file_name: face.path for face in gathered.faces}
    found = dict(zip(paths, options.detect(list(paths.values()))))
    _keep(gathered, [(face, None if found[face.file_name] is None else face) for face in gathered.faces])
    assign_boxes(gathered.faces, {name: rows for name, rows in found.items() if rows is not None})
    return boxes, 0


def _keep(gathered: Gathered, pairs: list[tuple[FaceRecord, FaceRecord | None]]) -> None:
    for before, after in pairs:
        if after is None:
            gathered.leave_out(before.file_name, 'image cannot be decoded')
    gathered.faces = [after for _, after in pairs if after is not None]
    if not gathered.faces:
        raise FaceAlignError(f'{pairs[0][0].root}: no image can be decoded; copy the data again from its source')


def _with_unions(faces: list[FaceRecord]) -> dict[str, list[FaceRecord]]:
    """Faces by output file: their splits, 300W's full test set, all its test sets, and a pack's test set by dataset."""
    order = ('train', 'val', 'test', 'test_common', 'test_challenge', 'test_private')
    names = sorted({face.split for face in faces}, key=lambda name: (order.index(name) if name in order else 9, name))
    splits = {name: [face for face in faces if face.split == name] for name in names}
    if {'test_common', 'test_challenge'} <= set(names):
        splits['test_full'] = splits['test_common'] + splits['test_challenge']
    if 'test' not in names and (tests := [name for name in names if name.startswith('test_')]):
        splits['test'] = [face for name in tests for face in splits[name]]
    for side in ('train', 'test'):
        pack = sorted({face.subset for face in splits.get(side, []) if face.source.startswith('pack/')})
        if len(pack) > 1:
            for dataset in pack:
                splits[f'{side}_{dataset}'] = [face for face in splits[side] if face.subset == dataset]
    return splits


def _splits_written(out: Path) -> set[str]:
    """The splits that an earlier conversion wrote to ``out``, as its summary says."""
    try:
        names = set(json.loads((out / 'summary.json').read_bytes())['splits'])
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {name for name in names if Path(name).name == name}


def _public(name: str) -> str:
    """A source's name without the folders of this machine."""
    kind, colon, files = name.partition(':')
    return f'{kind}{colon}{",".join(Path(file).name for file in files.split(","))}' if kind in ('csv', 'list') else name
