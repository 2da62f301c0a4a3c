from __future__ import annotations

import json
from pathlib import Path

from facealign.conversion.convert import Options, convert


def test_every_picture_finds_its_points(shared: Path, tmp_path: Path) -> None:
    summary = convert('pts', shared / 'cases/17-folder-oddities', tmp_path, Options(val=None, workers=1))
    assert summary['left_out'] == {}
    coco = json.loads((tmp_path / 'train.json').read_text())
    assert {image['file_name'] for image in coco['images']} == {
        'case/IMG_1.JPG',
        'gif/d.gif',
        'jfif/i.jfif',
        'pgm/h.pgm',
        'underscore/f.jpg',
    }
    assert len(coco['annotations']) == 6  # two of underscore/f.jpg
