"""``tools/benchmark.py infer`` on a tiny model and a tiny predictor of dlib."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.evaluation.detectors import accuracy
from facealign.evaluation.speed import FACE_HEIGHT, make_frames, measure_memory, time_in_turns
from facealign.inference.align_files import Options
from facealign.inference.aligner import FaceAligner
from facealign.inference.sources import find_sources
from facealign.io.coco_images import read_annotated

ROOT = Path(__file__).resolve().parents[2]


def test_turns_are_medians_of_milliseconds() -> None:
    clock = {'slow': 0, 'quick': 0}

    def count(name: str) -> None:
        clock[name] += 1

    found = time_in_turns({name: lambda name=name: count(name) for name in clock}, 0.01)
    assert clock['slow'] == clock['quick'] >= 6
    assert all(0 < value < 100 for value in found.values())


def test_frames_show_one_face_of_the_wanted_size(drawn_data: Path) -> None:
    _, images = read_annotated(drawn_data / '300w' / 'train.json')
    frames, rectangles = make_frames(images, 3)
    assert [frame.shape for frame in frames] == [(480, 640, 3)] * 3
    for rectangle in rectangles:
        assert rectangle[3] - rectangle[1] == pytest.approx(FACE_HEIGHT)
        np.testing.assert_allclose((rectangle[:2] + rectangle[2:]) / 2, (320, 240), atol=1)


def test_misses_count_as_failures(drawn_data: Path, make_model) -> None:
    _, images = read_annotated(drawn_data / '300w' / 'val.json', 4)
    blind = accuracy(FaceAligner(make_model(), lambda _: np.zeros((0, 4))), images)
    assert blind.missed == 4 and blind.auc == 0 and blind.failure_rate == 1
    assert blind.failure_interval == pytest.approx((0.025**0.25, 1))
    seeing = accuracy(FaceAligner(make_model(), 'whole'), images, from_landmarks=True)
    assert seeing.missed == 0 and np.isfinite(seeing.errors).all()


def test_memory_stays_flat(make_model, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for i in range(400):
        image = cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (640, 480))
        cv2.imwrite(str(tmp_path / f'{i}.jpg'), image)
    options = Options(out=tmp_path / 'out', formats=('json', 'csv', 'npy'), save_images=True)
    sources = find_sources([str(tmp_path)])
    assert measure_memory(FaceAligner(make_model(), 'whole', threads=1), sources, options) < 50


def test_the_command(drawn_data: Path, make_model, tmp_path: Path) -> None:
    dlib = pytest.importorskip('dlib', reason='needs dlib-bin')
    pytest.importorskip('matplotlib', reason='--plot needs Matplotlib')
    options = dlib.shape_predictor_training_options()
    options.cascade_depth, options.num_trees_per_cascade_level, options.oversampling_amount = 1, 2, 1
    _, images = read_annotated(drawn_data / '300w' / 'train.json', 6)
    pictures, labels = [], []
    for image in images:
        pictures.append(np.ascontiguousarray(cv2.imread(str(image.path))[..., ::-1]))
        box = dlib.rectangle(*image.rectangles[0].round().astype(int).tolist())
        parts = [dlib.point(*point) for point in image.points[0].round().astype(int).tolist()]
        labels.append([dlib.full_object_detection(box, parts)])
    dlib.train_shape_predictor(pictures, labels, options).save(str(tmp_path / 'ert.dat'))
    words = ['infer', make_model(), '--data', drawn_data / '300w' / 'val.json', '--ert', tmp_path / 'ert.dat']
    words += ['--seconds', '0.1', '--plot', tmp_path / 'speed.png', '--summary', tmp_path / 'summary.json']
    done = subprocess.run(
        [sys.executable, str(ROOT / 'tools' / 'benchmark.py'), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, 'PYTHONPATH': str(ROOT / 'projects'), 'OMP_NUM_THREADS': '1', 'FACEALIGN_YUNET': ''},
    )
    assert done.returncode == 0, done.stderr
    assert 'ms a face' in done.stdout and "dlib's HOG + ERT" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    keys = {
        'infer.fixed.auc08',
        'infer.fixed.ms_1thread',
        'infer.dlib_ert.ms_1thread',
        'end_to_end.hog_time_over_dlib',
        'detector.dlib_hog.ms_640x480',
    }
    assert keys <= json.loads((tmp_path / 'summary.json').read_text()).keys()
    assert cv2.imread(str(tmp_path / 'speed.png')).shape[0] > 300
