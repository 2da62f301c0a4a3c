"""Malformed annotation files: one line with file and place, whoever reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import facealign.plugin  # noqa: F401
from facealign.conversion.dpg_fit import fit_file
from facealign.datasets.complete import complete_file
from facealign.datasets.face_dataset import FaceDataset
from facealign.errors import FaceAlignError
from facealign.evaluation.baselines_dlib import read_faces
from facealign.io.coco_images import read_annotated
from facealign.utils.config_file import read_config

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    'coco_105.json': 'info.image_root: ',
    'coco_16.json': r'not a JSON file \(nested too deeply\)',
    'coco_47.json': 'half a character',
    'coco_48.json': r'annotations\[1\].face_bbox: 3 values, not 4',
    'coco_53.json': 'not a COCO keypoint file',
    'coco_68.json': 'not a COCO keypoint file',
    'coco_71.json': 'info.boxes: ',
}


def _complete(path: Path) -> None:
    config = read_config(str(ROOT / 'configs/integral/lite_128_joint.py'))
    complete_file(path, path.with_name('out.json'), config, 'weights.pth')


READERS = {
    'dataset': lambda path: FaceDataset(ann_file=str(path), pipeline=[]),
    'complete': _complete,
    'dpg': fit_file,
    'dlib': read_faces,
    'annotated': read_annotated,
}


@pytest.mark.parametrize('reader', READERS.values(), ids=READERS)
@pytest.mark.parametrize('name', FILES)
def test_malformed_files_are_one_line_in_every_reader(
    shared: Path, reader: Callable[[Path], object], name: str
) -> None:
    path = shared / 'cases' / '23-coco-json' / name
    with pytest.raises(FaceAlignError, match=FILES[name]) as caught:
        reader(path)
    message = str(caught.value)
    assert message.startswith(f'{path}: ') and message.isprintable() and len(message) < 400
