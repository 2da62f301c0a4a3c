"""What a conversion read, kept and left out, for ``summary.json`` and for the terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from facealign.conversion.doubtful import Doubt
from facealign.conversion.splits import photos_on_both_sides
from facealign.structures.records import FaceRecord, Gathered
from facealign.utils.terminal import cell

# So many files of one reason are all named in the terminal; of more, the first few.
_ALL_SHOWN = 20
_FEW_SHOWN = 3


@dataclass(frozen=True)
class RepeatedPhoto:
    """Faces that are one photo; ``mirrored`` where some are the mirror image of others."""

    faces: list[FaceRecord]
    mirrored: bool


def summarise_repeats(repeated: Sequence[RepeatedPhoto], kept: Sequence[FaceRecord]) -> dict[str, Any]:
    """The photos that occur more than once, ready for JSON: counts, and each photo's files with the splits they are in.

    Args:
        repeated: as found.
        kept: the faces, with their splits; those left out since are no longer named.
    """
    known = {id(face) for face in kept}
    photos: list[dict[str, Any]] = []
    for photo in repeated:
        faces = [face for face in photo.faces if id(face) in known]
        if len(faces) > 1:
            photos.append(dict(files=[[face.file_name, face.split] for face in faces], mirrored=photo.mirrored))
    apart = [photo for photo in photos if len({split for _, split in photo['files']}) > 1]
    return dict(
        photos=len(photos),
        faces=sum(len(photo['files']) for photo in photos),
        in_several_splits=len(apart),
        all=photos,
    )


def summarise(
    gathered: Gathered,
    splits: dict[str, list[FaceRecord]],
    boxes: str,
    not_listed: int,
    repeats: dict[str, Any] | None = None,
    doubtful: Sequence[Doubt] = (),
) -> dict[str, Any]:
    """The figures of a conversion, ready for JSON.

    Args:
        gathered: the faces kept, and what was left out.
        splits: the faces by output file.
        boxes: name of the box source; with ``landmarks`` there is no detector.
        not_listed: faces whose image the box file does not name.
        repeats: of :func:`summarise_repeats`; None where they were not looked for.
        doubtful: which of the faces kept are probably annotated wrongly.
    """
    left_out: dict[str, dict[str, Any]] = defaultdict(lambda: dict(count=0, files=[], details={}))
    for left in sorted(gathered.left_out, key=lambda left: (left.reason, left.file)):
        entry = left_out[left.reason]
        entry['count'] += 1
        entry['files'].append(left.file)
        if left.detail:
            entry['details'][left.file] = left.detail
    detector = None if boxes == 'landmarks' else boxes
    return dict(
        read=dict(images=gathered.num_images, annotations=gathered.num_annotations),
        kept=_figures(gathered.faces, detector),
        left_out=dict(left_out),
        left_out_count=len(gathered.left_out),
        boxes=boxes,
        faces_not_in_box_file=not_listed,
        images_turned_by_exif=gathered.num_turned,
        photos_in_several_splits=photos_on_both_sides(gathered.faces),
        repeated_photos=repeats,
        doubtful=[
            [face.file_name if face.original is None else face.original.file_name, doubt.reason]
            for doubt in doubtful
            for face in [gathered.faces[doubt.face]]
        ],
        splits={name: _figures(faces, detector) for name, faces in splits.items()},
    )


def print_summary(summary: dict[str, Any], console: Console | None = None) -> None:
    """Print :func:`summarise`'s figures as a table of at most 80 columns."""
    console = console or Console()
    console.width = min(console.width, 80)
    console.print(f'read {summary["read"]["images"]} images and {summary["read"]["annotations"]} annotations')
    table = Table(title=f'kept ({cell(summary["boxes"])} boxes)')
    headings = ('split', 'faces', 'photos', 'points off\nthe image', 'face box\nfound', 'points in\nface box')
    for heading in headings:
        table.add_column(heading, justify='left' if heading == 'split' else 'right')
    for name, row in summary['splits'].items():
        off = row['points_off_image']
        table.add_row(
            cell(name),
            str(row['faces']),
            str(row['photos']),
            f'{off["points"]} ({off["faces"]} faces)' if off['points'] else '0',
            _percent(row['detector_hit_rate']),
            _percent(row['share_of_points_in_face_box']),
        )
    console.print(table)
    if summary['left_out']:
        table = Table(title=f'left out: {summary["left_out_count"]} files (all named in summary.json)')
        table.add_column('reason')
        table.add_column('files', justify='right')
        table.add_column('such as', overflow='fold')
        for reason, entry in summary['left_out'].items():
            files = entry['files'] if entry['count'] <= _ALL_SHOWN else entry['files'][:_FEW_SHOWN]
            shown = [f'{file} ({entry["details"][file]})' if file in entry['details'] else file for file in files]
            more = ['…'] if len(entry['files']) > len(shown) else []
            table.add_row(cell(reason), str(entry['count']), cell('\n'.join(shown + more)))
        console.print(table)
    for note in _notes(summary):
        console.print(f'note: {cell(note)}')


def _notes(summary: dict[str, Any]) -> list[str]:
    notes: list[str] = []
    if inferred := summary.get('markup_inferred'):
        pairs = ', '.join(f'{a}-{b}' for a, b in inferred['mirror'][:_ALL_SHOWN]) or 'none'
        pairs += ' …' if len(inferred['mirror']) > _ALL_SHOWN else ''
        notes.append(
            f'{inferred["num_points"]} points of no known markup; mirror pairs, counted from 0, inferred from the '
            f'faces: {pairs}. Correct and name them in a file (like markup_inferred in summary.json), for --markup'
        )
    if lacking := summary['kept']['points_missing']['faces']:
        notes.append(f'{lacking} faces lack some points; those have v = 0')
    if missing := summary['faces_not_in_box_file']:
        notes.append(f'{missing} faces are not in the box file; they have no face box')
    if turned := summary['images_turned_by_exif']:
        notes.append(
            f'{turned} images are turned by their EXIF tag; their points are taken as drawn on the '
            f'{summary.get("exif", "shown")} picture (see --exif)'
        )
    if both := summary['photos_in_several_splits']:
        notes.append(f'{len(both)} photos have faces in more than one split, as the split given says')
    if doubtful := summary.get('doubtful'):
        shown = [f'{file} ({reason})' for file, reason in doubtful[:_ALL_SHOWN]]
        more = [f'and {len(doubtful) - _ALL_SHOWN} more, named in summary.json'] if len(doubtful) > _ALL_SHOWN else []
        notes.append(f'the points of {len(doubtful)} faces are doubtful; they are kept: {"; ".join(shown + more)}')
    notes += _notes_on_repeats(summary.get('repeated_photos'))
    return notes


def _notes_on_repeats(repeats: dict[str, Any] | None) -> list[str]:
    if not repeats or not repeats['photos']:
        return []
    mirrored = sum(photo['mirrored'] for photo in repeats['all'])
    also = f', {mirrored} of them mirrored' if mirrored else ''
    notes = [
        f'{repeats["photos"]} photos occur more than once ({repeats["faces"]} faces{also}; all named in summary.json); '
        'draws keep them together'
    ]
    if apart := [photo['files'] for photo in repeats['all'] if len({split for _, split in photo['files']}) > 1]:
        shown = [' = '.join(f'{name} ({split})' for name, split in files) for files in apart[:_ALL_SHOWN]]
        more = [f'and {len(apart) - _ALL_SHOWN} more'] if len(apart) > _ALL_SHOWN else []
        notes.append(f'{len(apart)} of these are on both sides of the split given: {"; ".join(shown + more)}')
    return notes


def _figures(faces: Sequence[FaceRecord], detector: str | None) -> dict[str, Any]:
    off = np.array([face.points_off_image for face in faces], dtype=int)
    missing = np.array([(~face.annotated).sum() for face in faces], dtype=int)
    boxed = [face for face in faces if face.face_box is not None]
    inside = sum(_points_in_box(face) for face in boxed)
    points = sum(int(face.annotated.sum()) for face in boxed)
    return dict(
        faces=len(faces),
        images=len({face.file_name for face in faces}),
        photos=len({face.photo for face in faces}),
        points_missing=dict(points=int(missing.sum()), faces=int((missing > 0).sum())),
        points_hidden=sum(int((face.keypoints_visible == 1).sum()) for face in faces),
        points_off_image=dict(points=int(off.sum()), faces=int((off > 0).sum())),
        detector_hits=len(boxed) if detector else None,
        detector_hit_rate=len(boxed) / len(faces) if detector and len(faces) else None,
        share_of_points_in_face_box=inside / points if points else None,
    )


def _points_in_box(face: FaceRecord) -> int:
    assert face.face_box is not None
    points = face.points[face.annotated]
    return int(((points >= face.face_box[:2]) & (points <= face.face_box[2:])).all(axis=1).sum())


def _percent(share: float | None) -> str:
    return '–' if share is None else f'{100 * share:.1f} %'
