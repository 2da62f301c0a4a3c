"""The mean shape as a row: the same points for every face, in its box."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip('facealign.plugin', reason='needs the [train] extra')

from facealign.errors import FaceAlignError  # noqa: E402
from facealign.evaluation.baselines_mean_shape import MeanShapeBaseline, unit_shape  # noqa: E402
from facealign.markup import IBUG68  # noqa: E402

from .samples import make_samples  # noqa: E402
from .training_faces import write_training_faces  # noqa: E402


@pytest.fixture
def annotations(tmp_path):
    return write_training_faces(tmp_path, count=5)


def points_of(annotations):
    faces = json.loads(annotations.read_text())['annotations']
    return np.array([face['keypoints'] for face in faces], float).reshape(len(faces), -1, 3)[..., :2]


def test_it_is_the_mean_of_the_shapes_in_the_box(annotations):
    predicted = MeanShapeBaseline(str(annotations)).predict(np.zeros((1, 1, 3)), dict(box=[10, 20, 110, 220]))
    expected = np.mean([unit_shape(points) for points in points_of(annotations)], axis=0) * [100, 200] + [10, 20]
    np.testing.assert_allclose(predicted, expected, rtol=1e-5)


def test_it_measures_how_far_a_face_is_from_it(tmp_path, annotations):
    sample = make_samples(1, noise=0.1)[0]
    metric = MeanShapeBaseline(str(annotations))
    metric.dataset_meta = IBUG68.metainfo()
    (image, *_) = [path for path in tmp_path.rglob('*') if path.suffix in ('.png', '.jpg')]
    sample.update(img_path=str(image), box=[8, 8, 72, 72])
    sample['gt_instances']['keypoints'] = metric.predict(np.zeros((1, 1, 3)), sample)[None] + [3, 4]
    metric.process(None, [sample])
    assert metric.evaluate(1)['mean_shape/mpd'] == pytest.approx(5, rel=1e-5)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(FaceAlignError, match='train.json: cannot be read'):
        MeanShapeBaseline(str(tmp_path / 'train.json'))
