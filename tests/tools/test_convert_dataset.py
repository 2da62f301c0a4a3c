from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


def _convert(*args: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / 'tools/convert_dataset.py'), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=cwd)


def _load(path: Path) -> dict:
    return json.loads(path.read_text())


def test_the_pack_s_split_of_real_faces(shared: Path, tmp_path: Path) -> None:
    done = _convert(
        '300w', shared / 'data/300w', '--out', tmp_path, '--split', 'csv:visionlabs_split.csv', '--val', 'none'
    )
    assert done.returncode == 0, done.stderr
    train, test = _load(tmp_path / 'train.json'), _load(tmp_path / 'test.json')
    assert (len(train['annotations']), len(test['annotations'])) == (2067, 234)
    assert all(annotation['face_bbox'] for annotation in test['annotations'])
    *table, written = done.stdout.splitlines()
    assert '2067' in done.stdout and max(map(len, table)) <= 80 and written.startswith('written: ')
    # A JSON file on its own finds its images, and its points lie where the .pts says.
    image = train['images'][0]
    path = tmp_path / train['info']['image_root'] / image['file_name']
    assert cv2.imread(str(path)).shape[1::-1] == (image['width'], image['height'])
    on_disk = np.loadtxt(path.with_suffix('.pts').read_text().splitlines()[3:71])
    assert np.array(train['annotations'][0]['keypoints']).reshape(68, 3)[:, :2] == pytest.approx(on_disk - 1)


def test_detecting_and_cropping_real_photos(shared: Path, tmp_path: Path) -> None:
    pytest.importorskip('dlib', reason='needs dlib for its face detector')
    source = tmp_path / 'src'
    source.mkdir()
    for path in (shared / 'data/photos').glob('afw_18489332.*'):  # one photo of seven faces
        (source / path.name).symlink_to(path)
    out = tmp_path / 'out'
    done = _convert('pts', source, '--out', out, '--boxes', 'dlib-hog', '--crop', '--val', 'none')
    assert done.returncode == 0, done.stderr
    coco, summary = _load(out / 'train.json'), _load(out / 'summary.json')
    assert summary['kept']['faces'] == 7 and summary['kept']['detector_hits'] >= 4
    # One of the photo's .pts files, 1-based, holds exactly these points.
    candidates = [np.loadtxt(path) - 1 for path in source.glob('*.pts')]
    for image, annotation in zip(coco['images'], coco['annotations']):
        pixels = cv2.imread(str(out / 'images' / image['file_name']))
        assert pixels.shape[1::-1] == (image['width'], image['height'])
        matrix = np.array(image['to_original'])
        points = np.array(annotation['keypoints']).reshape(68, 3)[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        assert min(np.abs(points - candidate).max() for candidate in candidates) < 1e-6


def test_lists_beside_their_option_and_unusual_folders(tmp_path: Path) -> None:
    src = tmp_path / 'my faces'
    src.mkdir()
    for name in ('a', 'b', 'c d'):
        cv2.imwrite(str(src / f'{name}.png'), np.zeros((90, 90, 3), np.uint8))
        rows = '\n'.join(f'{10 + i} {20 + i % 7}' for i in range(68))
        (src / f'{name}.pts').write_text(rows)
    (tmp_path / 'test.txt').write_text('c d.png\n')
    (tmp_path / 'boxes.csv').write_text('x1,y1,x2,y2,image\n9,19,78,27,a.png\n')
    done = _convert(
        'pts', 'my faces', '--out', 'out', '--split', 'list', 'test.txt', '--boxes', 'csv', 'boxes.csv', cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert [image['file_name'] for image in _load(tmp_path / 'out/test.json')['images']] == ['c d.png']
    assert [a['face_bbox'] for a in _load(tmp_path / 'out/train.json')['annotations']] == [[9, 19, 69, 8], None]
    assert 'note: 2 faces are not in the box file' in ' '.join(done.stdout.split())


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (('pts', 'absent', '--out', 'out'), 'absent: no such folder'),
        (('pts', '.', '--out', 'out'), 'no annotated face found'),
        (('pts', '.', '--out', 'out', '--boxes', 'retina'), '--boxes retina: no such boxes; there are landmarks'),
        (('datatang', 'absent.h5', '--out', 'out'), 'not an annot_coco.h5'),
    ],
)
def test_errors_are_one_line_and_status_2(tmp_path: Path, args: tuple[str, ...], message: str) -> None:
    done = _convert(*args, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.startswith('error: ') and done.stderr.count('\n') == 1
    assert list(tmp_path.iterdir()) == []


def test_it_loads_without_the_training_part() -> None:
    code = (
        'import sys, facealign.conversion.convert, facealign.detection.detect_files;'
        "print(sorted({'torch', 'mmpose', 'mmengine', 'dlib', 'h5py'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
