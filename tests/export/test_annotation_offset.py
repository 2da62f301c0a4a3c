"""The annotators' sideways habit: none on drawn faces, whose points are exact, and all of one that is put in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facealign.export.annotation_offset import fit_annotation_offset
from facealign.export.load import model_info
from facealign.utils.config_file import read_config

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/integral/lite_128_joint.py'
WEIGHTS = str(ROOT / 'docs/results/weights/lite_128_joint_fp16.pth')


def test_none_on_exact_points_and_what_was_put_in(drawn_data: Path, tmp_path: Path) -> None:
    path = drawn_data / '300w/val.json'
    config = read_config(str(CONFIG))
    exact, (same,) = fit_annotation_offset(config, WEIGHTS, path)
    assert abs(exact) < 0.0025
    assert same.path == path

    coco = json.loads(path.read_bytes())
    coco['info']['image_root'] = str((path.parent / coco['info']['image_root']).resolve())
    for face in coco['annotations']:
        step = 0.02 * 1.25 * max(face['bbox'][2:])  # a fiftieth of the crop
        face['keypoints'][::3] = [x + step for x in face['keypoints'][::3]]
        face['bbox'][0] += step
    shifted = tmp_path / 'shifted.json'
    shifted.write_text(json.dumps(coco))
    moved, (gain,) = fit_annotation_offset(config, WEIGHTS, shifted)
    assert moved - exact == pytest.approx(0.02, abs=0.003)  # the crop moves along, so the network is not quite alike
    assert gain.with_offset > gain.without + 0.1


def test_a_config_s_own_offset_is_not_counted_twice(drawn_data: Path) -> None:
    config = read_config(str(CONFIG))
    plain, _ = fit_annotation_offset(config, WEIGHTS, drawn_data / '300w/val.json')
    config.model.head.annotation_offset = 0.01
    assert model_info(config).annotation_offset == pytest.approx(1.28)  # what the model file says, in crop pixels
    assert fit_annotation_offset(config, WEIGHTS, drawn_data / '300w/val.json')[0] == plain
    assert config.model.head.annotation_offset == 0.01
