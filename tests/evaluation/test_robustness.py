"""How much accuracy boxes that are off cost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from facealign.evaluation.robustness import changed_boxes, measure
from facealign.io.coco_images import read_annotated


def test_a_predictor_that_follows_its_box_loses_what_it_was_moved(drawn_data: Path) -> None:
    """It places the true points relative to the box: moved by 5 % of the width, all its points are off by that."""
    _, images = read_annotated(drawn_data / '300w' / 'val.json', 1)
    truth, box = images[0].points[0], images[0].rectangles[0]

    def follow(image: np.ndarray, boxes: np.ndarray) -> list[np.ndarray]:
        share = (truth - box[:2]) / (box[2:] - box[:2])
        return [b[:2] + share * (b[2:] - b[:2]) for b in boxes]

    found = measure(follow, images)
    width, height = box[2:] - box[:2]
    assert found['exact'] == pytest.approx(1)
    for side, ways in ((width, ('left', 'right')), (height, ('up', 'down'))):
        for way in ways:
            assert found[way] == pytest.approx(1 - 0.05 * side / np.sqrt(width * height) / 0.08)


def test_scaling_keeps_the_centre() -> None:
    ways = changed_boxes(np.array([[10.0, 20, 30, 60]]))
    assert sorted(ways) == ['down', 'exact', 'larger', 'left', 'right', 'smaller', 'up']
    np.testing.assert_allclose(ways['smaller'], [[11, 22, 29, 58]])
    np.testing.assert_allclose(ways['larger'] + ways['smaller'], 2 * ways['exact'])


def test_command_writes_loss_of_each_model(drawn_data: Path, make_model, run_tool, tmp_path: Path) -> None:
    summary = tmp_path / 'summary.json'
    data = drawn_data / '300w' / 'val.json'
    done = run_tool('benchmark.py', 'shift', make_model(), '--data', data, '--summary', summary)
    assert done.returncode == 0, done.stderr
    assert 'mean loss' in done.stdout and max(map(len, done.stdout.splitlines())) <= 80
    numbers = json.loads(summary.read_text())
    assert set(numbers) == {'fixed.box_shift_drop', 'fixed.box_shift_worst'}
    assert numbers['fixed.box_shift_drop'] <= numbers['fixed.box_shift_worst']
