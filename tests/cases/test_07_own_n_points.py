from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

facealign_plugin = pytest.importorskip('facealign.plugin', reason='needs the [train] extra')

from facealign.conversion.convert import Options, convert  # noqa: E402
from facealign.datasets.face_dataset import FaceDataset  # noqa: E402
from facealign.errors import FaceAlignError  # noqa: E402
from facealign.evaluation.metric import FaceAlignmentMetric  # noqa: E402
from facealign.io.pts import read_pts  # noqa: E402
from facealign.visualization.drawing import draw_face  # noqa: E402

PAIRS = [[0, 3], [1, 2], [5, 6]]
MINE = dict(name='mine7', num_points=7, mirror=PAIRS, outlines=[[0, 1], [2, 3]], outer_eye_corners=[0, 3])


def _measure(dataset: FaceDataset) -> dict[str, float]:
    """The metric of predictions that are 3 pixels too far to the right, and 4 too low."""
    metric = FaceAlignmentMetric()
    metric.dataset_meta = dataset.metainfo
    samples: list[dict[str, Any]] = []
    for i in range(len(dataset)):
        sample = dataset[i]
        truth = dict(keypoints=sample['keypoints'], keypoints_visible=sample['keypoints_visible'])
        samples.append(
            {**sample, 'gt_instances': truth, 'pred_instances': dict(keypoints=sample['keypoints'] + [3, 4])}
        )
    metric.process(None, samples)
    return metric.evaluate(len(samples))


@pytest.mark.parametrize('given', [False, True])
def test_from_the_folder_to_the_metric(shared: Path, tmp_path: Path, given: bool) -> None:
    source = shared / 'cases/07-own-n-points'
    (tmp_path / 'mine.json').write_text(json.dumps(MINE))
    options = Options(val=None, workers=1, markup=str(tmp_path / 'mine.json') if given else None)
    summary = convert('pts', source, tmp_path / 'out', options)
    assert summary['left_out'] == {} and summary['kept']['faces'] == 3
    assert (summary['markup_inferred'] is None) == given

    dataset = FaceDataset(ann_file='train.json', data_root=str(tmp_path / 'out'), markup=None, pipeline=[])
    assert len(dataset) == 3 and [list(pair) for pair in dataset.markup.flip_pairs] == PAIRS
    assert dataset.markup.name == summary['markup'] and (dataset.markup.name == 'mine7') == given
    assert list(dataset[0]['flip_indices']) == [3, 2, 1, 0, 4, 6, 5]
    points = [read_pts(source / f'{i}.pts') for i in range(3)]
    assert np.allclose([sample['keypoints'][0] for sample in dataset], points, atol=1e-4)

    metrics = _measure(dataset)
    sides = np.array([np.ptp(face, axis=0) for face in points])
    assert metrics['nme_landmark_bbox'] == pytest.approx(np.mean(5 / np.sqrt(sides.prod(axis=1))), rel=1e-4)
    assert ('nme_interocular' in metrics) == given
    picture = np.zeros((260, 260, 3), np.uint8)
    assert draw_face(picture, points[0], dataset.markup).any()


def test_the_file_is_taken_by_its_markups_name_too(shared: Path, tmp_path: Path) -> None:
    (tmp_path / 'mine.json').write_text(json.dumps(MINE))
    options = Options(val=None, workers=1, markup=str(tmp_path / 'mine.json'))
    convert('pts', shared / 'cases/07-own-n-points', tmp_path / 'out', options)
    path = str(tmp_path / 'out/train.json')
    assert len(FaceDataset(ann_file=path, markup='mine7', pipeline=[])) == 3
    with pytest.raises(FaceAlignError, match='its points are mine7, not ibug68'):
        len(FaceDataset(ann_file=path, pipeline=[]))


@pytest.mark.parametrize(
    ('change', 'message'), [(dict(num_points=8), 'left out: not 8 points'), (dict(mirror=[[0, 9]]), '"mirror" must')]
)
def test_a_markup_that_does_not_fit_is_one_line(
    shared: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    value = {**MINE, 'name': 'unfit', **change}
    value.pop('outlines')
    (tmp_path / 'mine.json').write_text(json.dumps(value))
    options = Options(val=None, workers=1, markup=str(tmp_path / 'mine.json'))
    with pytest.raises(FaceAlignError, match=message):
        convert('pts', shared / 'cases/07-own-n-points', tmp_path / 'out', options)
