from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.conversion.readers.pts_folder import read_pts_folder
from facealign.io.box_table import read_box_csv
from facealign.structures.boxes import box_iou

ROOT = Path(__file__).resolve().parents[2]


def _detect(*args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / 'tools/detect_faces.py'), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture
def photos(shared: Path, tmp_path: Path) -> Path:
    """Two group photos with their points, and one small photo without."""
    folder = tmp_path / 'photos'
    folder.mkdir()
    for pattern in ('afw_18489332.*', 'afw_2086996835.*', '2009_004587.jpg'):
        for path in (shared / 'data/photos').glob(pattern):
            (folder / path.name).symlink_to(path)
    return folder


def _faces_found(photos: Path, csv: Path) -> float:
    """Share of the annotated faces that some box of the file covers."""
    faces = read_pts_folder(photos).faces
    boxes = read_box_csv(csv, {face.file_name for face in faces})
    fits = [box_iou(face.landmark_box[None], boxes[face.file_name][:, :4]).max(initial=0) for face in faces]
    return float(np.mean(np.array(fits) > 0.35))


def test_dlib_on_real_photos(photos: Path, tmp_path: Path) -> None:
    pytest.importorskip('dlib', reason='needs dlib for its face detector')
    done = _detect(photos, tmp_path / 'boxes.csv')
    assert done.returncode == 0, done.stderr
    assert 'found in' in done.stdout and 'of 3 images' in done.stdout
    assert _faces_found(photos, tmp_path / 'boxes.csv') > 0.6


def test_yunet_on_real_photos(shared: Path, photos: Path, tmp_path: Path) -> None:
    model = shared / 'models/face_detection_yunet_n.onnx'
    done = _detect(photos, tmp_path / 'boxes.csv', '--detector', f'yunet:{model}')
    assert done.returncode == 0, done.stderr
    assert str(model.parent) not in (tmp_path / 'boxes.csv').read_text()
    assert _faces_found(photos, tmp_path / 'boxes.csv') > 0.8


def test_images_without_faces_and_broken_ones(tmp_path: Path) -> None:
    pytest.importorskip('dlib', reason='needs dlib for its face detector')
    (tmp_path / 'src/sub').mkdir(parents=True)
    cv2.imwrite(str(tmp_path / 'src/sub/black.png'), np.zeros((90, 90, 3), np.uint8))
    (tmp_path / 'src/broken.jpg').write_bytes(b'no image')
    done = _detect(tmp_path / 'src', tmp_path / 'boxes.csv')
    assert done.returncode == 0, done.stderr
    assert 'left out: broken.jpg: not an image' in done.stdout
    assert (tmp_path / 'boxes.csv').read_text() == 'image,x1,y1,x2,y2,score,n_faces\nsub/black.png,,,,,,0\n'


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (('absent', 'boxes.csv'), 'no such folder'),
        (('.', 'boxes.csv'), 'no images in it'),
        (('src', 'boxes.csv', '--detector', 'yunet'), 'needs a model file; give it as yunet:FILE'),
        (('src', 'boxes.csv', '--detector', 'retina'), 'no such face detector'),
    ],
)
def test_errors_are_one_line_and_status_2(tmp_path: Path, args: tuple[str, ...], message: str) -> None:
    (tmp_path / 'src').mkdir()
    cv2.imwrite(str(tmp_path / 'src/black.png'), np.zeros((9, 9, 3), np.uint8))
    folder = tmp_path / ('src' if args[0] == 'src' else 'empty')
    folder.mkdir(exist_ok=True)
    source = folder if args[0] in ('src', '.') else tmp_path / 'absent'
    done = _detect(source, tmp_path / args[1], *args[2:])
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.count('\n') == 1
    assert not (tmp_path / 'boxes.csv').exists()
