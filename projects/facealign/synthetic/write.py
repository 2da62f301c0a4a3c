"""Draw a whole sample data set into a folder."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2

from facealign.errors import FaceAlignError
from facealign.io.pts import write_pts
from facealign.synthetic import layout
from facealign.synthetic.render import random_face
from facealign.utils.files import atomic_write_bytes, atomic_write_json, ensure_writable
from facealign.utils.parallel import run_parallel

STAMP = 'sample.json'
_VERSION = 1  # counts up whenever the same seed draws something else
_SMALLEST_SIZE = 96
_JPEG_QUALITY = 92


@dataclass(frozen=True)
class Sample:
    """Which faces to draw: how many, from which seed, about ``size`` pixels wide and high."""

    num: int = 600
    seed: int = 0
    size: int = 240

    def files(self) -> list[str]:
        """All files of this sample, relative to its folder, posix style."""
        files = []
        for i in range(self.num):
            w300, datatang = f'{layout.W300}/{layout.w300_name(i)}', f'{layout.DATATANG}/{layout.datatang_name(i)}'
            files += [f'{w300}.jpg', f'{w300}.pts', f'{datatang}.jpg', f'{datatang}.json']
        return files


def draw_sample(out: str | os.PathLike[str], sample: Sample, workers: int | None = None) -> bool:
    """Draw ``sample`` into ``out/300w`` and ``out/datatang106``: the same faces with 68 and with 106 points.

    What an equal earlier call has drawn completely is left as it is, and
    False is returned. Files of an earlier, different sample are removed.

    Raises:
        FaceAlignError: an argument is out of range, ``out`` holds other
            people's files, or cannot be written.
    """
    if sample.num < layout.SMALLEST:
        raise FaceAlignError(f'--num {sample.num}: at least {layout.SMALLEST} faces are needed to fill every folder')
    if sample.size < _SMALLEST_SIZE:
        raise FaceAlignError(f'--size {sample.size}: faces need pictures of at least {_SMALLEST_SIZE} pixels')
    if sample.seed < 0:
        raise FaceAlignError(f'--seed {sample.seed}: give 0 or more')
    out = ensure_writable(out)
    stamp = dict(asdict(sample), version=_VERSION)
    earlier = _earlier(out)
    if earlier == dict(stamp, complete=True) and all((out / file).is_file() for file in sample.files()):
        return False
    atomic_write_json(out / STAMP, dict(stamp, complete=False))
    if earlier:
        kept = set(sample.files())
        for file in Sample(num=earlier['num']).files():
            if file not in kept:
                (out / file).unlink(missing_ok=True)
    run_parallel(partial(_write, out, sample), range(sample.num), 'drawing faces', workers, cv2.setNumThreads, (1,))
    atomic_write_json(out / STAMP, dict(stamp, complete=True))
    return True


def _earlier(out: Path) -> dict:
    """The stamp of what was drawn into ``out`` before; {} where nothing was."""
    path = out / STAMP
    if path.is_file():
        try:
            stamp = json.loads(path.read_text(encoding='utf-8'))
            if isinstance(stamp['num'], int):
                return stamp
        except (OSError, ValueError, KeyError, TypeError):
            pass
        raise FaceAlignError(f'{path}: not written by this command; choose another --out or remove it')
    for name in (layout.W300, layout.DATATANG):
        if (out / name).exists():
            raise FaceAlignError(f'{out / name}: holds files that this command did not draw; choose another --out')
    return {}


def _write(out: Path, sample: Sample, index: int) -> None:
    face = random_face((sample.seed, index), sample.size, hard=layout.is_challenge(index))
    encoded, data = cv2.imencode('.jpg', face.image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not encoded:
        raise FaceAlignError(f'{out}: this OpenCV cannot write JPEG; install opencv-python-headless')
    w300 = out / layout.W300 / layout.w300_name(index)
    datatang = out / layout.DATATANG / layout.datatang_name(index)
    atomic_write_bytes(f'{w300}.jpg', data.tobytes())
    write_pts(f'{w300}.pts', layout.rounded(face.points68))
    atomic_write_bytes(f'{datatang}.jpg', data.tobytes())
    atomic_write_json(f'{datatang}.json', layout.datatang_record(face, datatang.name))
