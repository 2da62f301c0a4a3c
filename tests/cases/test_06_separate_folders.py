from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from facealign.conversion.convert import Options, convert
from facealign.io.pts import read_pts


def test_images_and_labels_in_two_folders_are_read(shared: Path, tmp_path: Path) -> None:
    source = shared / 'cases/06-separate-folders/ivslab'
    summary = convert('pts', source, tmp_path, Options(val=None, workers=1))
    assert summary['left_out'] == {} and summary['read'] == {'images': 2, 'annotations': 2}
    coco = json.loads((tmp_path / 'train.json').read_text())
    assert [image['file_name'] for image in coco['images']] == ['300W/images/000.jpg', '300W/images/001.jpg']
    for number, face in enumerate(coco['annotations']):
        points = read_pts(source / f'300W/labels/00{number}.pts')
        assert np.allclose(np.reshape(face['keypoints'], (68, 3))[:, :2], points)


def test_the_frames_of_300vw_are_read_by_their_numbers(shared: Path, tmp_path: Path) -> None:
    source = shared / 'cases/06-separate-folders/300VW'
    summary = convert('pts', source, tmp_path, Options(split='test', workers=1))
    assert summary['left_out'] == {} and summary['splits']['test']['faces'] == 3
    coco = json.loads((tmp_path / 'test.json').read_text())
    assert coco['info']['image_root'] == 'frames' and {image['photo'] for image in coco['images']} == {'001/vid.avi'}
    capture = cv2.VideoCapture(str(source / '001/vid.avi'))
    for number, (image, face) in enumerate(zip(coco['images'], coco['annotations']), start=1):
        assert image['file_name'] == f'001/vid.avi/{number:06d}.jpg'
        _, frame = capture.read()
        written = cv2.imread(str(tmp_path / 'frames' / image['file_name']))
        assert np.abs(written.astype(int) - frame).mean() < 4  # JPEG's
        points = read_pts(source / f'001/annot/{number:06d}.pts')
        assert np.allclose(np.reshape(face['keypoints'], (68, 3))[:, :2], points)
