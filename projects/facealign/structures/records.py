"""What every reader hands on: one record a face, and a note for every file left out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from facealign.errors import printable
from facealign.markup import Markup, convert_points

_TINY = 1e-6  # pixels, for rounding


@dataclass(frozen=True)
class Original:
    """Where a cropped image came from.

    Attributes:
        file_name: of the uncropped image, relative to its folder.
        size: (width, height) of the uncropped image.
        to_original: affine [2, 3] from the cropped file's pixels to the uncropped one's.
    """

    file_name: str
    size: tuple[int, int]
    to_original: np.ndarray


@dataclass
class FaceRecord:
    """One annotated face.

    Attributes:
        root: folder that ``file_name`` is relative to.
        file_name: of the image, posix style; unique, so LFPW's two folders do not clash.
        points: [K, 2] pixels, 0-based, NaN where a point is not annotated.
        size: (width, height) of the image as it is decoded.
        source: which folder of which dataset, such as ``300w/helen/testset``.
        split: the file it goes to, such as ``train`` or ``test_common``.
        subset: the row of a results table it belongs to, such as ``common``; may be empty.
        photo: faces of one photo share it (see :func:`facealign.conversion.splits.assign_photos`).
        face_box: [4] x1, y1, x2, y2 from a detector; None where it found no face.
        face_score: the detector's score, where it gives one.
        original: set once the image was cropped.
        occluded: [K] bool, which annotated points are hidden from view; None where the dataset does not say.
        attributes: what else the dataset says about the face, such as ``glasses: yes``.
    """

    root: Path
    file_name: str
    points: np.ndarray
    size: tuple[int, int]
    source: str
    split: str
    subset: str = ''
    photo: str = ''
    face_box: np.ndarray | None = None
    face_score: float | None = None
    original: Original | None = None
    occluded: np.ndarray | None = None
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.root / self.file_name

    @property
    def annotated(self) -> np.ndarray:
        """[K] bool: which points there are."""
        return np.isfinite(self.points).all(axis=1)

    @property
    def keypoints_visible(self) -> np.ndarray:
        """[K] COCO's v: 0 not annotated, 1 annotated but hidden, 2 seen."""
        hidden = np.zeros(len(self.points), dtype=int) if self.occluded is None else self.occluded.astype(int)
        return np.where(self.annotated, 2 - hidden, 0)

    @property
    def landmark_box(self) -> np.ndarray:
        """[4] x1, y1, x2, y2 of the annotated points, not clipped to the image."""
        points = self.points[self.annotated]
        return np.concatenate([points.min(axis=0), points.max(axis=0)])

    @property
    def points_off_image(self) -> int:
        """How many annotated points lie beyond the centres of the (uncropped) image's outermost pixels."""
        return int((self.distances_off_image() > _TINY).sum())

    def distances_off_image(self) -> np.ndarray:
        """[K] pixels of the uncropped image, the larger of x and y; 0 of a point on it or not annotated."""
        points, size = self.points, self.size
        if self.original is not None:
            matrix = self.original.to_original
            points, size = points @ matrix[:, :2].T + matrix[:, 2], self.original.size
        beyond = np.maximum(-points, points - (np.array(size) - 1)).max(axis=1)
        return np.where(self.annotated, np.maximum(beyond, 0), 0)

    def in_markup(self, source: Markup, target: Markup) -> FaceRecord:
        """The same face with its points, numbered by ``source`` here, numbered by ``target``."""
        occluded = self.occluded
        if occluded is not None:
            occluded = convert_points(occluded[:, None].astype(float), source, target)[:, 0] == 1
        return dataclasses.replace(self, points=convert_points(self.points, source, target), occluded=occluded)


@dataclass(frozen=True)
class LeftOut:
    """A file that gave no face: a short ``reason`` to count by, and what was odd about this one."""

    file: str
    reason: str
    detail: str = ''

    def __post_init__(self) -> None:
        for name in ('file', 'detail'):
            object.__setattr__(self, name, printable(getattr(self, name)))


@dataclass
class Gathered:
    """What a reader found under one folder.

    Attributes:
        faces: that can be used.
        left_out: files that gave no face.
        num_images, num_annotations: files met, used or not.
        num_turned: images that their EXIF tag turns.
    """

    faces: list[FaceRecord] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    num_images: int = 0
    num_annotations: int = 0
    num_turned: int = 0

    def leave_out(self, file: str, reason: str, detail: str = '') -> None:
        self.left_out.append(LeftOut(file, reason, detail))
