"""Any folder of images with ``.pts`` files beside them."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from facealign.conversion.frames import Frames, frame_name, write_frames
from facealign.conversion.layout import Place, find_places
from facealign.conversion.readers.base import (
    Annotation,
    Pair,
    Parse,
    Unusable,
    add_pair,
    check_folder,
    detail_of,
    list_files,
    pair_files,
    read_pair,
    require_faces,
)
from facealign.errors import FaceAlignError
from facealign.io.pts import read_pts
from facealign.structures.records import Gathered
from facealign.utils.parallel import run_parallel


def read_pts_folder(
    root: str | os.PathLike[str],
    num_points: int = 68,
    exif: str = 'shown',
    frames: Path | None = None,
    workers: int | None = None,
) -> Gathered:
    """All faces in ``root`` and its sub-folders, as split ``train``.

    ``NAME.pts`` belongs to the image ``NAME.*`` beside it or in a folder of
    images (see :func:`facealign.conversion.layout.find_places`); ``NAME.K.pts``
    and ``NAME_K.pts`` are further faces of the same image. ``000001.pts`` is
    the first frame of a video where there is no image but a video.

    Args:
        root: the folder.
        num_points: faces with another number are left out.
        exif: whether points were drawn on the picture as ``shown`` (turned by
            its EXIF orientation) or on its ``stored`` pixels.
        frames: folder for the annotated frames of videos; None: videos are not read.
        workers: processes for videos; None takes all cores.

    Raises:
        FaceAlignError: ``root`` is no folder, or has no image with points.
    """
    root = check_folder(root)
    gathered = Gathered()
    places = find_places(root, '.pts')
    for place in places:
        if place.video is not None and frames is not None:
            continue
        source = '/'.join(part for part in (root.resolve().name, place.images[0]) if part)
        if len(place.images) > 1:
            _leave_out_place(gathered, root, place)
        else:
            gather(
                gathered,
                root,
                place.folder,
                images=place.images[0],
                source=source,
                split='train',
                num_points=num_points,
                exif=exif,
            )
    videos = [place for place in places if place.video is not None]
    if frames is not None and videos:
        _gather_videos(gathered, root, videos, frames, functools.partial(_parse, num_points=num_points), exif, workers)
    return require_faces(gathered, root)


def _leave_out_place(gathered: Gathered, root: Path, place: Place) -> None:
    for name, _, ending in list_files(root / place.folder):
        if ending == '.pts':
            gathered.num_annotations += 1
            annotation = str(PurePosixPath(place.folder, name))
            gathered.leave_out(annotation, 'several folders with an image for the .pts', ', '.join(place.images))


def _gather_videos(
    gathered: Gathered,
    root: Path,
    places: Sequence[Place],
    out: Path,
    parse: Parse,
    exif: str,
    workers: int | None,
) -> None:
    """Write the annotated frames of videos to ``out/VIDEO/NNNNNN.jpg`` and add their faces."""
    jobs, annotations = [], []
    for place in places:
        assert place.video is not None
        files = [(name, stem) for name, stem, ending in list_files(root / place.folder) if ending == '.pts']
        annotations.append({int(stem): str(PurePosixPath(place.folder, name)) for name, stem in files})
        gathered.num_annotations += len(files)
        jobs.append(Frames(root / place.video, frozenset(annotations[-1]), out / place.video))
    for place, numbered, (written, problem) in zip(
        places, annotations, run_parallel(write_frames, jobs, 'writing frames', workers, least=1)
    ):
        assert place.video is not None
        gathered.num_images += len(written)
        source = f'{root.resolve().name}/{place.video}'
        for number, annotation in sorted(numbered.items()):
            if number not in written:
                gathered.leave_out(annotation, 'no such frame in the video', problem or place.video)
                continue
            image = str(PurePosixPath(place.video, frame_name(number)))
            pair = Pair(image, annotation, source, 'train', image_root=out)
            add_pair(gathered, root, pair, read_pair(pair, root, parse, exif))


def gather(
    gathered: Gathered,
    root: Path,
    folder: str,
    *,
    images: str | None = None,
    source: str,
    split: str,
    subset: str = '',
    num_points: int = 68,
    exif: str = 'shown',
    other_counts: dict[int, str] | None = None,
) -> None:
    """Add the faces whose annotations lie directly in ``root/folder``, and the images too or in ``root/images``.

    ``other_counts`` gives the reason for leaving out files with a known other
    number of points, such as Menpo's profiles.
    """
    parse = functools.partial(_parse, num_points=num_points, other_counts=other_counts)
    for image, annotation in pair_files(gathered, root, folder if images is None else images, folder, '.pts'):
        pair = Pair(image, annotation, source, split, subset)
        add_pair(gathered, root, pair, read_pair(pair, root, parse, exif))


def _parse(path: Path, num_points: int, other_counts: dict[int, str] | None = None) -> Annotation:
    try:
        points = read_pts(path)
    except FaceAlignError as error:
        reasons = {'no points': 'empty .pts', 'second block': 'several faces in one .pts'}
        reason = next((reason for sign, reason in reasons.items() if sign in str(error)), 'unreadable .pts')
        raise Unusable(reason, detail_of(error, path)) from error
    if other_counts and len(points) in other_counts:
        raise Unusable(other_counts[len(points)])
    if len(points) != num_points:
        raise Unusable(f'not {num_points} points', f'{len(points)} points')
    return Annotation(points)
