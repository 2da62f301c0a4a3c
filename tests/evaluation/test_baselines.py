"""dlib and ONNX rows: right boxes in, same measuring, and clear words where something is missing."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

pytest.importorskip('facealign.plugin', reason='needs the [train] extra')

from facealign.errors import FaceAlignError  # noqa: E402
from facealign.evaluation.baselines import DlibBaseline, OnnxBaseline  # noqa: E402
from facealign.evaluation.baselines_dlib import ErtOptions, train_ert  # noqa: E402
from facealign.io.pts import read_pts  # noqa: E402
from facealign.markup import IBUG68  # noqa: E402
from facealign.metrics import landmark_boxes  # noqa: E402

from .samples import make_samples  # noqa: E402
from .training_faces import write_training_faces  # noqa: E402

dlib = pytest.importorskip('dlib', reason='needs dlib (dlib-bin)')


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A tiny predictor of faces that are a fixed pattern at changing places and sizes."""
    folder = tmp_path_factory.mktemp('dlib')
    annotations = write_training_faces(folder, count=30)
    train_ert(annotations, folder / 'dlib_ert.dat', ErtOptions(4, 30, 3, 5, threads=1), boxes='landmarks')
    return folder


@pytest.fixture
def samples(trained):
    """Faces of the same pattern that the predictor was not trained on."""
    coco = json.loads(write_training_faces(trained / 'test', count=6, seed=1).read_text())
    samples = make_samples(6, noise=0.1)
    for sample, annotation, image in zip(samples, coco['annotations'], coco['images']):
        points = np.array(annotation['keypoints'], np.float32).reshape(1, 68, 3)[..., :2]
        box = landmark_boxes(points)[0].astype(np.float32)
        sample.update(img_path=str(trained / 'test' / image['file_name']), landmark_bbox=box, box=box, face_bbox=None)
        sample['gt_instances']['keypoints'] = points
    return samples


def run(metric, samples):
    metric.dataset_meta = IBUG68.metainfo()
    metric.process(None, samples)
    return metric.evaluate(len(samples))


def test_the_row_is_the_predictors_not_the_models(trained, samples):
    metric = DlibBaseline(predictor=str(trained / 'dlib_ert.dat'))
    metrics = run(metric, samples)
    assert metrics['dlib_ert/nme_landmark_bbox'] < 0.05  # the model's predictions in the samples are 10 % off
    assert metrics['dlib_ert/undetected'] == 0
    assert metric.about['training'] == 'on 30 faces of train.json and their mirror images'


def test_undetected_faces_fail_in_this_row_too(trained, samples):
    samples[0]['detected'] = False
    assert run(DlibBaseline(data_root=str(trained)), samples)['dlib_ert/undetected'] == 1


@pytest.mark.parametrize(
    'trained_on, face_box, hog, expected',
    [
        ('landmarks', None, [], 'mapped'),
        ('landmarks', [0, 0, 50, 50], [], 'mapped'),
        ('annotated', [0, 0, 50, 50], [], 'face_box'),
        ('annotated', None, [], 'mapped'),
        ('dlib-hog', None, [[12, 8, 62, 58, 1.0], [70, 70, 90, 90, 2.0]], 'hog'),
        ('dlib-hog', None, [[70, 70, 90, 90, 2.0]], 'mapped'),  # the detector found another face only
    ],
)
def test_a_predictor_gets_the_kind_of_box_it_was_trained_on(trained, trained_on, face_box, hog, expected):
    metric = DlibBaseline(data_root=str(trained))
    metric._boxes, metric._hog = trained_on, lambda image: np.array(hog, float).reshape(-1, 5)
    rectangle = np.array([10.0, 10, 60, 60])
    box = metric._box(np.zeros((100, 100, 3), np.uint8), dict(box=rectangle, face_bbox=face_box))
    boxes = dict(mapped=metric._mapping(rectangle), face_box=face_box, hog=[12, 8, 62, 58])
    assert box.tolist() == list(boxes[expected])


def test_a_detectors_box_is_given_as_it_is(trained):
    metric = DlibBaseline(data_root=str(trained))
    box = np.array([3.0, 4, 60, 61])
    assert metric._box(np.zeros((9, 9, 3), np.uint8), dict(box=box, face_bbox=box)).tolist() == box.tolist()


def test_a_predictor_without_record_gets_hog_boxes_and_a_word_of_warning(trained, tmp_path):
    (tmp_path / 'published.dat').write_bytes((trained / 'dlib_ert.dat').read_bytes())
    metric = DlibBaseline(predictor=str(tmp_path / 'published.dat'))
    assert metric._boxes == 'dlib-hog'
    assert 'trained on 300W' in metric.about['training']


def test_no_predictor_leaves_the_row_out_with_a_note(tmp_path, samples):
    metric = DlibBaseline(data_root=str(tmp_path))
    assert 'no such dlib predictor' in metric.left_out
    assert 'tools/train_dlib.py' in metric.left_out
    assert 'shape_predictor_68_face_landmarks.dat.bz2' in metric.left_out
    assert 'trained on 300W' in metric.left_out
    assert run(metric, samples) == {}


def test_a_predictor_that_is_named_must_be_there(tmp_path):
    with pytest.raises(FaceAlignError, match=r'gone\.dat: no such dlib predictor; train one'):
        DlibBaseline(predictor=str(tmp_path / 'gone.dat'))
    (tmp_path / 'text.dat').write_text('no predictor')
    with pytest.raises(FaceAlignError, match=r'text\.dat: not a dlib predictor'):
        DlibBaseline(predictor=str(tmp_path / 'text.dat'))


def test_missing_dlib_is_one_line(trained, monkeypatch):
    monkeypatch.setitem(sys.modules, 'dlib', None)
    with pytest.raises(FaceAlignError, match='dlib is not installed; pip install dlib-bin'):
        DlibBaseline(predictor=str(trained / 'dlib_ert.dat'))


def test_a_predictor_of_another_markup_is_one_line(trained, samples):
    for sample in samples:
        sample['gt_instances']['keypoints'] = np.zeros((1, 106, 2), np.float32)
    with pytest.raises(FaceAlignError, match='dlib ERT: predicts 68 points, but the faces have 106'):
        run(DlibBaseline(data_root=str(trained)), samples)


def test_the_peer_finds_real_faces(shared):
    """anchors.md has AUC@0.08 .727 and no failure for this model on all 554 faces."""
    metric = OnnxBaseline(str(shared / 'peers/pfld_68_112.onnx'), 'PFLD')
    samples = make_samples(24)
    files = sorted((shared / 'data/300w/helen/testset').glob('*.pts'))[:: 330 // 24]
    for sample, file in zip(samples, files):
        points = read_pts(file)[None].astype(np.float32)
        box = landmark_boxes(points)[0]
        sample.update(img_path=str(file.with_suffix('.jpg')), landmark_bbox=box, box=box, face_bbox=None)
        sample['gt_instances']['keypoints'] = points
    metrics = run(metric, samples)
    assert metrics['pfld/fr@0.08'] == 0
    assert metrics['pfld/auc@0.08'] == pytest.approx(0.73, abs=0.03)


def test_a_missing_or_wrong_onnx_file_is_one_line(tmp_path):
    with pytest.raises(FaceAlignError, match='no such ONNX model'):
        OnnxBaseline(str(tmp_path / 'gone.onnx'), 'peer')
    (tmp_path / 'text.onnx').write_text('no model')
    with pytest.raises(FaceAlignError, match='not an ONNX model'):
        OnnxBaseline(str(tmp_path / 'text.onnx'), 'peer')


def test_an_image_that_is_gone_is_one_line(trained, samples):
    samples[0]['img_path'] = '/nowhere/0.jpg'
    with pytest.raises(FaceAlignError, match=r'/nowhere/0\.jpg'):
        run(DlibBaseline(data_root=str(trained)), samples)
