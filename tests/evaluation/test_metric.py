"""The MMEngine metric on samples made by hand."""

from __future__ import annotations

import numpy as np
import pytest

facealign_plugin = pytest.importorskip('facealign.plugin', reason='needs the [train] extra')

from facealign.errors import FaceAlignError  # noqa: E402
from facealign.evaluation.metric import FaceAlignmentMetric, gather_faces  # noqa: E402
from facealign.markup import IBUG68  # noqa: E402

from .samples import make_samples  # noqa: E402


def evaluate(samples, **kwargs):
    metric = FaceAlignmentMetric(**kwargs)
    metric.dataset_meta = IBUG68.metainfo()
    metric.process(None, samples)
    return metric.evaluate(len(samples)), metric


def test_keys_and_values_of_a_known_offset():
    metrics, _ = evaluate(make_samples(20, offset=0.02))
    assert metrics['nme_landmark_bbox'] == pytest.approx(0.02, rel=1e-4)
    assert metrics['auc@0.08'] == pytest.approx(0.75, rel=1e-4)
    assert metrics['auc@1'] == pytest.approx(0.98, rel=1e-4)
    assert metrics['fr@0.08'] == metrics['fr@1'] == metrics['undetected'] == 0
    assert metrics['common/auc@0.08'] == pytest.approx(0.75, rel=1e-4)
    assert metrics['full/auc@0.08'] == pytest.approx(metrics['auc@0.08'])
    assert all(isinstance(value, float) for value in metrics.values())


def test_thresholds_normaliser_and_unions_can_be_chosen():
    metrics, _ = evaluate(
        make_samples(20, offset=0.02),
        thresholds=(0.05,),
        normaliser='diagonal',
        unions=dict(everything=('common', 'challenge')),
    )
    assert metrics['auc@0.05'] == pytest.approx(1 - metrics['nme_diagonal'] / 0.05, rel=1e-4)
    assert 'everything/auc@0.05' in metrics
    assert 'full/auc@0.05' not in metrics


@pytest.mark.parametrize(
    'wrong, said',
    [
        (dict(normaliser='eyes'), 'no such normaliser; there are: interocular'),
        (dict(thresholds=(0.08, 0)), 'must be fractions greater than 0'),
    ],
)
def test_wrong_settings_are_one_line(wrong, said):
    with pytest.raises(FaceAlignError, match=said):
        FaceAlignmentMetric(**wrong)


def test_a_normaliser_these_faces_lack_is_one_line():
    samples = [{**sample, 'face_bbox': None} for sample in make_samples(4)]
    with pytest.raises(FaceAlignError, match='normaliser bbox: these faces have no such size'):
        evaluate(samples, normaliser='bbox')


def test_undetected_faces_are_failures_not_absent():
    samples = make_samples(20, offset=0.02)
    for sample in samples[:5]:
        sample.update(detected=False, face_bbox=None)
    metrics, metric = evaluate(samples)
    assert metrics['undetected'] == 5
    assert metrics['fr@0.08'] == 0.25
    assert metrics['auc@0.08'] == pytest.approx(0.75 * 0.75, rel=1e-4)
    assert metrics['nme_landmark_bbox'] == pytest.approx(0.02, rel=1e-4)
    assert len(metric.table.faces) == 20


def test_one_process_or_two_whatever_the_last_batch_is_padded_with():
    samples = make_samples(13, offset=0.03, noise=0.01)
    alone, _ = evaluate(samples)
    # As DistributedSampler deals them: rank 0 has 7 faces, rank 1 six and the first again as padding.
    parts = [samples[0::2], [*samples[1::2], samples[0]]]
    collected = []
    for part in parts:
        metric = FaceAlignmentMetric()
        metric.process(None, part)
        collected.append(metric.results)
    merged = [face for pair in zip(*collected) for face in pair]
    metric.dataset_meta = IBUG68.metainfo()
    assert metric.compute_metrics(merged) == alone
    assert metric.compute_metrics(merged[::-1]) == alone


def test_faces_of_several_files_with_the_same_ids_stay_apart():
    first, second = make_samples(3), make_samples(3)
    for sample in second:
        sample['img_path'] = sample['img_path'].replace('images', 'other')
    metric = FaceAlignmentMetric()
    metric.process(None, [*first, *second])
    assert len(gather_faces(metric.results)) == 6


def test_pixels_are_those_of_the_original_image_where_the_file_is_a_cut():
    samples = make_samples(6, offset=0.02)
    for sample in samples:
        sample.update(to_original=[[3.0, 0, 10], [0, 3.0, 20]], original_size=(900, 1200))
    cut, _ = evaluate(make_samples(6, offset=0.02))
    original, metric = evaluate(samples)
    assert original['mpd'] == pytest.approx(3 * cut['mpd'], rel=1e-5)
    assert original['nme_interocular'] == pytest.approx(cut['nme_interocular'], rel=1e-4)
    assert original['nme_bbox'] == pytest.approx(cut['nme_bbox'], rel=1e-4)
    assert metric.table.sizes['image'][0] == pytest.approx(np.sqrt(900 * 1200))


def test_hidden_and_missing_points_go_by_visibility():
    samples = make_samples(2)
    samples[0]['visibility'] = np.full(68, 2)
    samples[0]['visibility'][:4] = [1, 1, 1, 0]
    _, metric = evaluate(samples)
    assert np.isnan(metric.table.errors[0, 3])
    assert (metric.table.faces.visibility[0, :4] == [1, 1, 1, 0]).all()
    assert (metric.table.faces.visibility[1] == 2).all()


def test_nothing_to_measure_is_one_line():
    metric = FaceAlignmentMetric()
    metric.dataset_meta = IBUG68.metainfo()
    with pytest.raises(FaceAlignError, match='nothing was measured'):
        metric.evaluate(0)
