"""``tools/worst_faces.py`` on a tiny model whose every answer is known."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from facealign.evaluation.detectors import accuracy
from facealign.inference.aligner import FaceAligner
from facealign.io.coco_images import read_annotated

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_the_worst_come_first(drawn_data: Path, make_model, tmp_path: Path, run_tool: Run) -> None:
    data, model, out = drawn_data / '300w' / 'val.json', make_model(), tmp_path / 'worst.png'
    done = run_tool('worst_faces.py', data, '--model', model, '--num', 3, '--columns', 2, '--out', out)
    assert done.returncode == 0, done.stderr
    _, images = read_annotated(data)
    errors = accuracy(FaceAligner(model, 'whole'), images, from_landmarks=True).errors
    order = np.argsort(-errors)[:3]
    rows = [line.split('│') for line in done.stdout.splitlines() if line.startswith('│')]
    assert [row[3].strip() for row in rows] == ['/'.join(images[i].path.parts[-3:]) for i in order]
    assert [float(row[2]) for row in rows] == pytest.approx(100 * errors[order], abs=0.051)
    sheet = cv2.imread(str(out))
    assert sheet.shape[0] > 600 and sheet.shape[1] > 600  # two by two cells


def test_bad_input_is_one_line(drawn_data: Path, make_model, tmp_path: Path, run_tool: Run) -> None:
    out = tmp_path / 'worst.png'
    for words, said in (
        ([tmp_path / 'none.json', '--out', out], 'none.json'),
        ([drawn_data / 'datatang106' / 'val.json', '--out', out], 'choose another --model'),
        ([drawn_data / '300w' / 'val.json', '--out', out, '--num', 0], '--num'),
        ([drawn_data / '300w' / 'val.json', '--out', tmp_path / 'worst.txt'], 'worst.txt'),
    ):
        done = run_tool('worst_faces.py', *words, '--model', make_model())
        [line] = [line for line in done.stderr.splitlines() if 'error: ' in line]
        assert done.returncode == 2 and 'Traceback' not in done.stderr and said in line
        assert not out.exists()
