"""Targets from a teacher: what is mixed, what is saved, what is refused."""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

import facealign.plugin  # noqa: F401
from facealign.errors import FaceAlignError
from facealign.inference.flip_test import FlipTest
from facealign.markup import get_markup

TEACHER = str(Path(__file__).resolve().parents[2] / 'configs' / 'integral' / 'lite_128_joint.py')


@pytest.fixture(scope='module')
def model() -> dict:
    """The teacher's config, for a student of the same kind."""
    config = Config.fromfile(TEACHER).model.to_dict()
    config['head']['marginals'] = 1.0
    return config


@pytest.fixture(scope='module')
def weights(model: dict, tmp_path_factory: pytest.TempPathFactory) -> str:
    init_default_scope('mmpose')
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp('teacher') / 'teacher.pth'
    torch.save({'state_dict': MODELS.build(copy.deepcopy(model)).state_dict()}, path)
    return str(path)


def _student(model: dict, weights: str, share: float, **change) -> torch.nn.Module:
    init_default_scope('mmpose')
    torch.manual_seed(2)
    settings = {**copy.deepcopy(model), 'type': 'DistilledPoseEstimator', **change}
    return MODELS.build(dict(settings, teacher=TEACHER, teacher_weights=weights, share=share))


def _face(annotated: slice) -> list:
    """A face of 174 points in the middle of the crop, of which these are annotated."""
    present = torch.zeros(1, 174)
    present[:, annotated] = 1
    labels = SimpleNamespace(keypoint_labels=torch.full((1, 174, 2), 0.5), keypoint_weights=present)
    return [SimpleNamespace(gt_instance_labels=labels)]


def _images(crops: np.ndarray) -> torch.Tensor:
    """Crops [N, H, W, 3] as a network's input, at the magnitude of normalised ones."""
    return torch.from_numpy(crops.transpose(0, 3, 1, 2).astype(np.float32)) / 64 - 2


def _points_of(model: dict, weights: str, images: torch.Tensor) -> torch.Tensor:
    """What the teacher sees, by MMPose's own way to it."""
    network = MODELS.build({**copy.deepcopy(model), 'head': {**copy.deepcopy(model['head']), 'points': None}}).eval()
    network.load_state_dict(torch.load(weights, weights_only=True)['state_dict'])
    with torch.no_grad():
        return network.head(network.extract_feat(images))[0]


def test_targets_are_mixed_where_annotated_and_the_teachers_elsewhere(model: dict, weights: str) -> None:
    images, faces = torch.randn(1, 3, 128, 128), _face(slice(0, 68))
    _student(model, weights, share=0.25).loss(images, faces)
    labels, taught = faces[0].gt_instance_labels, _points_of(model, weights, images)
    torch.testing.assert_close(labels.keypoint_labels[:, :68], 0.75 * 0.5 + 0.25 * taught[:, :68])
    torch.testing.assert_close(labels.keypoint_labels[:, 68:], taught[:, 68:], atol=1e-5, rtol=0)
    assert labels.keypoint_weights.tolist() == [[1.0] * 68 + [0.25] * 106]


def test_a_teacher_that_is_asked_twice_gives_what_the_flip_test_gives(model: dict, weights: str) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)

    class Teacher:
        info, name = SimpleNamespace(markup=get_markup('ibug68+datatang106'), annotation_offset=0), 'teacher'

        def __call__(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            points = _points_of(model, weights, _images(crops)).numpy() * 128
            return points, np.ones(points.shape[:2])

    wanted = FlipTest(Teacher())(crops)[0] / 128
    faces = [*_face(slice(0, 68)), *_face(slice(68, 174))]
    for face in faces:
        face.metainfo = dict(flip_indices=list(Teacher.info.markup.flip_indices))
    _student(model, weights, share=1, teacher_flip=True).loss(_images(crops), faces)
    found = torch.cat([face.gt_instance_labels.keypoint_labels for face in faces])
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-5)


def test_without_a_share_the_loss_is_the_plain_one(model: dict, weights: str) -> None:
    images = torch.randn(2, 3, 128, 128)
    student = _student(model, weights, share=0)
    plain = MODELS.build(copy.deepcopy(model)).train()
    plain.load_state_dict(student.state_dict())
    faces = [*_face(slice(0, 68)), *_face(slice(68, 174))]
    ours, theirs = student.train().loss(images, copy.deepcopy(faces)), plain.loss(images, faces)
    assert ours.keys() == theirs.keys() == {'loss_kpt', 'loss_marginals'}
    for key, value in theirs.items():
        torch.testing.assert_close(ours[key], value)


def test_the_teachers_points_are_not_rounded_by_amp(model: dict, weights: str) -> None:
    images, student = torch.randn(1, 3, 128, 128), _student(model, weights, share=0.5)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        taught = student._taught(images)
    assert taught.dtype == torch.float32
    assert not torch.equal(taught, taught.bfloat16().float())


def test_the_teacher_is_neither_saved_nor_trained(model: dict, weights: str) -> None:
    student = _student(model, weights, share=0.5).train()
    assert student.state_dict().keys() == MODELS.build(copy.deepcopy(model)).state_dict().keys()
    images = torch.randn(2, 3, 128, 128)
    before = student._taught(images)
    student.loss(images, [*_face(slice(0, 68)), *_face(slice(68, 174))])['loss_kpt'].backward()
    with torch.no_grad():
        for parameter in student.parameters():
            if parameter.requires_grad:
                parameter -= parameter.grad
    torch.testing.assert_close(student._taught(images), before)


def test_teachers_that_do_not_fit_are_refused(model: dict, weights: str, tmp_path: Path) -> None:
    with pytest.raises(FaceAlignError, match=r'nowhere\.py: no such config'):
        MODELS.build(
            {**copy.deepcopy(model), 'type': 'DistilledPoseEstimator', 'teacher': 'nowhere.py', 'teacher_weights': ''}
        )
    with pytest.raises(FaceAlignError, match='no such checkpoint'):
        _student(model, str(tmp_path / 'none.pth'), share=0.5)
    other = tmp_path / 'other.pth'
    torch.save({'state_dict': {'fc.weight': torch.zeros(1)}}, other)
    with pytest.raises(FaceAlignError, match=r'other\.pth: its weights are not those of'):
        _student(model, str(other), share=0.5)
    head = {**model['head'], 'decoder': dict(type='FaceRegressionLabel', input_size=(128, 128), unit='pixel')}
    with pytest.raises(FaceAlignError, match="its codec is not the student's"):
        _student(model, weights, share=0.5, head=head)
    no_model = TEACHER.replace('integral/lite_128_joint.py', '_base_/default_runtime.py')
    with pytest.raises(FaceAlignError, match=r"default_runtime\.py: its codec is not the student's: None"):
        MODELS.build(
            {**copy.deepcopy(model), 'type': 'DistilledPoseEstimator', 'teacher': no_model, 'teacher_weights': weights}
        )
    few = [SimpleNamespace(gt_instance_labels=SimpleNamespace(keypoint_labels=torch.zeros(1, 68, 2)))]
    with pytest.raises(FaceAlignError, match='the teacher has 174 points, the student 68'):
        _student(model, weights, share=0.5).loss(torch.randn(1, 3, 128, 128), few)
    with pytest.raises(ValueError, match='0 <= share <= 1'):
        _student(model, weights, share=2)
