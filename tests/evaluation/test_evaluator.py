"""The evaluator of tools/test.py: one table, its files and pictures."""

from __future__ import annotations

import csv
import json

import cv2
import numpy as np
import pytest

pytest.importorskip('facealign.plugin', reason='needs the [train] extra')

from facealign.errors import FaceAlignError  # noqa: E402
from facealign.evaluation.baselines import DlibBaseline  # noqa: E402
from facealign.evaluation.evaluator import FaceEvaluator  # noqa: E402
from facealign.evaluation.metric import FaceAlignmentMetric  # noqa: E402
from facealign.markup import DATATANG106, IBUG68  # noqa: E402

from .samples import make_samples  # noqa: E402


def evaluate(metrics, samples, out, markup=IBUG68):
    evaluator = FaceEvaluator(metrics, out_dir=out, resamples=100)
    evaluator.dataset_meta = markup.metainfo()
    for start in range(0, len(samples), 8):
        evaluator.process(samples[start : start + 8])
    return evaluator.evaluate(len(samples))


@pytest.fixture(scope='module')
def reported(tmp_path_factory):
    """The folder that a test of two rows leaves; one face of 30 was not detected."""
    out = tmp_path_factory.mktemp('run')
    samples = make_samples(30, offset=0.02, noise=0.02)
    samples[4].update(detected=False, face_bbox=None)
    metrics = [FaceAlignmentMetric(name='YinNet'), FaceAlignmentMetric(name='twin', prefix='twin')]
    return out, evaluate(metrics, samples, out)


def test_results_json_holds_all_rows_and_what_they_mean(reported):
    out, metrics = reported
    results = json.loads((out / 'results.json').read_text())
    assert [row['name'] for row in results['rows']] == ['YinNet', 'twin']
    assert (results['markup'], results['normaliser']) == ('ibug68', 'landmark_bbox')
    assert results['thresholds'] == [0.08, 1.0]
    assert results['normalisers']['interocular'] == 'distance of the outer eye corners'
    subsets = results['rows'][0]['subsets']
    assert {name: part['faces'] for name, part in subsets.items()} == {'challenge': 10, 'common': 20, 'full': 30}
    auc = subsets['full']['normalisers']['landmark_bbox']['auc']['0.08']
    assert auc['value'] == pytest.approx(metrics['auc@0.08'])
    assert auc['low'] < auc['value'] < auc['high']
    assert subsets['full']['undetected'] == 1


def test_per_face_csv_has_a_line_a_face_and_row(reported):
    out, metrics = reported
    with open(out / 'per_face.csv', newline='') as file:
        lines = [line for line in csv.DictReader(file) if line['model'] == 'YinNet']
    assert len(lines) == 30
    errors = np.array([float(line['nme_landmark_bbox']) for line in lines])
    assert np.isinf(errors).sum() == 1
    assert np.maximum(0, 0.08 - errors).mean() / 0.08 == pytest.approx(metrics['auc@0.08'], rel=1e-5)
    assert [line['detected'] for line in lines].count('0') == 1


def test_pictures_are_drawn(reported):
    for name in ('ced.png', 'regions.png'):
        picture = cv2.imread(str(reported[0] / name))
        assert min(picture.shape[:2]) > 300
        assert np.ptp(picture) == 255


def test_no_half_written_files_are_left(reported):
    assert sorted(path.name for path in reported[0].iterdir()) == [
        'ced.png',
        'per_face.csv',
        'regions.png',
        'results.json',
    ]


def test_the_table_fits_a_terminal_and_says_what_it_must(tmp_path, capsys):
    samples = make_samples(9, offset=0.01)
    samples[0]['detected'] = False
    name = 'a model with a rather long name'
    evaluate([FaceAlignmentMetric(name=name), DlibBaseline(data_root=str(tmp_path))], samples, tmp_path)
    table, _, notes = capsys.readouterr().out.partition('note: no row')
    assert max(len(line) for line in table.replace(str(tmp_path), '').splitlines()) <= 80
    for word in ('full: 9 faces', 'AUC@0.08', 'FR@1', '*: some faces were not detected'):
        assert word in table
    assert notes.startswith(' dlib ERT: ')
    assert 'tools/train_dlib.py' in notes


def test_106_points_add_ppr_and_its_picture(tmp_path, capsys):
    samples = make_samples(9, noise=0.02, markup=DATATANG106)
    for sample in samples:
        sample['visibility'] = np.where(np.arange(106) < 20, 1, 2)
    evaluate([FaceAlignmentMetric(name='YinNet-106')], samples, tmp_path, DATATANG106)
    assert (tmp_path / 'nme_ppr_mpd.png').is_file()
    printed = capsys.readouterr().out
    assert 'N=10' in printed
    assert 'invisible' in printed


def test_rows_must_be_told_apart_and_be_comparable():
    with pytest.raises(FaceAlignError, match='two metrics have the same name'):
        FaceEvaluator([FaceAlignmentMetric(name='a'), FaceAlignmentMetric(name='a')])
    with pytest.raises(FaceAlignError, match='differ in normaliser'):
        FaceEvaluator([FaceAlignmentMetric(name='a'), FaceAlignmentMetric(name='b', normaliser='diagonal')])


def test_it_is_built_from_a_config():
    from mmpose.registry import EVALUATORS

    metrics = [dict(type='FaceAlignmentMetric'), dict(type='DlibBaseline')]
    evaluator = EVALUATORS.build(dict(type='FaceEvaluator', metrics=metrics, _scope_='mmpose'))
    assert [metric.name for metric in evaluator.metrics] == [None, 'dlib ERT']
