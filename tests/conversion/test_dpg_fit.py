"""The fit of DPG's constants, against boxes that DPG itself has drawn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from facealign.conversion.dpg_fit import SideFit, fit_file, fit_sides, write_fragment
from facealign.errors import FaceAlignError

MEAN, STD = np.array([-0.03, -0.13, 0.01, -0.06]), np.array([0.11, 0.08, 0.1, 0.07])


def boxes(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    corner, size = rng.uniform(0, 500, (count, 2)), rng.uniform(50, 400, (count, 2))
    landmark = np.concatenate([corner, corner + size], axis=1)
    return landmark, landmark + rng.normal(MEAN, STD, (count, 4)) * np.tile(size, 2)


def write_coco(path: Path, landmark: np.ndarray, face: list[np.ndarray | None], name: str = 'dlib-hog') -> Path:
    def xywh(box: np.ndarray) -> list[float]:
        return [*box[:2].tolist(), *(box[2:] - box[:2]).tolist()]

    annotations = [
        dict(
            id=i,
            image_id=1,
            keypoints=[1, 1, 2] * 68,
            bbox=xywh(points),
            face_bbox=None if box is None else xywh(box),
        )
        for i, (points, box) in enumerate(zip(landmark, face))
    ]
    images = [dict(id=1, file_name='a.jpg', width=1000, height=1000)]
    info = dict(boxes=name, markup='ibug68')
    path.write_text(json.dumps(dict(info=info, images=images, annotations=annotations)))
    return path


def test_finds_what_the_boxes_were_drawn_with() -> None:
    mean, std = fit_sides(*boxes(20_000))
    assert np.abs(mean - MEAN).max() < 0.003 and np.abs(std - STD).max() < 0.003


def test_file_to_config(tmp_path: Path) -> None:
    landmark, face = boxes(200)
    source = write_coco(tmp_path / 'train.json', landmark, [*face[:150], *[None] * 50])
    fit = fit_file(source)
    assert (fit.faces, fit.undetected, fit.boxes) == (150, 50, 'dlib-hog')
    expected = fit_sides(landmark[:150], face[:150])
    write_fragment(tmp_path / 'dpg_hog.py', fit, source.name)
    sides = Config.fromfile(tmp_path / 'dpg_hog.py').dpg_sides
    assert np.allclose([sides.side_mean, sides.side_std], expected, atol=5e-5)


def test_names_cannot_leave_the_comment(tmp_path: Path) -> None:
    fit = SideFit(MEAN, STD, 10, 0, 'x\nimport os')
    write_fragment(tmp_path / 'dpg.py', fit, 'a\rb.json')
    lines = (tmp_path / 'dpg.py').read_text().splitlines()
    assert [line[:2] for line in lines] == ['# ', '# ', 'dp']


@pytest.mark.parametrize('text', ['{}', '[]', '{"annotations": [1]}', '{"info": {}, "annotations": [{"bbox": 1}]}'])
def test_other_files_are_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / 'x.json').write_text(text)
    with pytest.raises(FaceAlignError, match='x.json: not a COCO keypoint file'):
        fit_file(tmp_path / 'x.json')


def test_a_file_without_detector_boxes(tmp_path: Path) -> None:
    landmark, _ = boxes(50)
    with pytest.raises(FaceAlignError, match='0 faces with a detector box.*--boxes'):
        fit_file(write_coco(tmp_path / 'train.json', landmark, [None] * 50))
