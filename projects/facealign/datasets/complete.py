"""Points that an annotation lacks: a network's own, moved as far as it is off at the annotated points nearby."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
from mmengine.config import Config
from scipy.interpolate import RBFInterpolator

from facealign.datasets.face_dataset import room_around
from facealign.errors import FaceAlignError
from facealign.export.load import load_network
from facealign.io.coco import face_category, relative_root
from facealign.io.coco_reader import CocoFaces, read_coco
from facealign.markup import Markup, get_markup
from facealign.utils.files import atomic_write_json
from facealign.utils.parallel import show_progress

# Kernel and smoothing that place a hidden third of the annotated points best (check_file), on the validation faces of
# 300W and of Datatang.
_SMOOTHING = 0.01
_COMPLETED = 1  # COCO's visibility of a point that is labelled and not seen: tells these from annotated ones
_BATCH = 32


def complete_points(predicted: np.ndarray, annotated: np.ndarray, known: np.ndarray) -> np.ndarray:
    """All points of a face, the annotated ones as they are.

    How far the network is off at the annotated points is interpolated between
    them by radial basis functions (kernel ``-r``, SciPy's ``RBFInterpolator``)
    and added to its other points: a pose or expression that it misjudged, or
    a face's own size of nose and mouth, shows in all points of a region alike.

    Args:
        predicted: [K, 2] the network's points, in any unit.
        annotated: [K, 2] in the same unit; read where ``known``.
        known: [K] bool, at least one.

    Returns:
        [K, 2].

    >>> predicted = np.array([[0, 0], [2, 0], [1, 0.0]])
    >>> complete_points(predicted, predicted + [0, 3], np.array([True, True, False])).round(3).tolist()
    [[0.0, 3.0], [2.0, 3.0], [1.0, 3.0]]
    """
    points = np.where(known[:, None], annotated, predicted).astype(float)
    if known.all():
        return points
    size = max(np.linalg.norm(np.ptp(predicted, axis=0)), 1e-9)
    off = RBFInterpolator(
        predicted[known] / size, (annotated - predicted)[known], kernel='linear', smoothing=_SMOOTHING
    )
    points[~known] += off(predicted[~known] / size)
    return points


def complete_file(path: Path, out: Path, config: Config, checkpoint: str) -> int:
    """Write the faces of a COCO file again with every point that the network of ``config`` knows.

    Args:
        path: of ``tools/convert_dataset.py``; its markup is one of those that the network was trained on.
        out: the file to write, for ``FaceDataset(markup=...)`` of all its points; it shares the images of ``path``.
        config: of a network trained on several markups (``among`` in its training data).
        checkpoint: its weights.

    Returns:
        The number of faces.

    Raises:
        FaceAlignError: the file does not suit the network, or cannot be read or written.
    """
    whole = get_markup(_among(config))
    coco = _read(path, whole)
    before, after = room_around(whole, coco.markup)
    predicted = _predict(config, checkpoint, path, coco.markup.name)
    for annotation, own in zip(coco.annotations, predicted):
        annotated = np.pad(annotation['keypoints'], ((before, after), (0, 0)))
        seen = annotated[:, 2]
        points = complete_points(own, annotated[:, :2], seen > 0)
        points[seen == 0] = points[seen == 0].round(3)
        keypoints = np.column_stack([points, np.where(seen > 0, seen, _COMPLETED)])
        annotation.update(keypoints=keypoints.ravel().tolist(), num_keypoints=len(points))
    coco.info.update(
        markup=whole.name, image_root=relative_root(coco.root, out.parent), completed_by=Path(checkpoint).name
    )
    coco.document['categories'] = [face_category(whole)]
    atomic_write_json(out, coco.document)
    return len(coco.annotations)


def check_file(path: Path, config: Config, checkpoint: str) -> tuple[float, float]:
    """How well it works: a third of each face's annotated points is hidden, drawn at random, and completed.

    Returns:
        The mean error of the hidden points, as a share of the diagonal of the face's points: of the network's own
        ones, and of those moved.

    Raises:
        FaceAlignError: as :func:`complete_file`.
    """
    whole = get_markup(_among(config))
    coco = _read(path, whole)
    before, _ = room_around(whole, coco.markup)
    random = np.random.default_rng(0)
    errors = []
    for annotation, own in zip(coco.annotations, _predict(config, checkpoint, path, coco.markup.name)):
        annotated, seen = np.split(annotation['keypoints'], [2], axis=1)
        given = np.flatnonzero(seen)
        hidden = random.choice(given, len(given) // 3, replace=False)
        if not len(hidden):
            continue
        own = own[before : before + coco.markup.num_keypoints]
        known = seen[:, 0] > 0
        known[hidden] = False
        size = np.linalg.norm(np.ptp(annotated[given], axis=0))
        moved = complete_points(own, annotated, known)
        errors.append([np.linalg.norm((p - annotated)[hidden], axis=1).mean() / size for p in (own, moved)])
    if not errors:
        raise FaceAlignError(f'{path}: no face has three annotated points; nothing can be hidden')
    own_error, moved_error = np.mean(errors, axis=0)
    return float(own_error), float(moved_error)


def _among(config: Config) -> str:
    """The markups in a row that the network of ``config`` was trained on."""
    training = config.train_dataloader.dataset
    names = {part.get('among') or part.markup for part in training.get('datasets', [training])}
    name = ' and '.join(sorted(names))
    if len(names) > 1 or '+' not in name:
        raise FaceAlignError(
            f'{config.filename}: trains on {name} alone; give a config of several markups, such as those of '
            'configs/integral/'
        )
    return name


def _read(path: Path, whole: Markup) -> CocoFaces:
    """The file's content; its markup is one of those in ``whole``."""
    coco = read_coco(path)
    if '+' in coco.markup.name:
        raise FaceAlignError(f'{path}: is a completed file; give the one it was made from')
    if coco.markup.name not in whole.name.split('+'):
        raise FaceAlignError(
            f'{path}: its points are {coco.markup.name}, those of the network {whole.name}; give another file'
        )
    return coco


def _predict(config: Config, checkpoint: str, path: Path, markup: str) -> list[np.ndarray]:
    """All points [K, 2] of each face, in the file's order: the mean of the plain and the mirrored crop's."""
    import torch
    from mmengine.dataset import pseudo_collate
    from mmpose.registry import DATASETS

    config = copy.deepcopy(config)
    config.model.head.points = None
    config.model.test_cfg.flip_test = True
    network = load_network(config, checkpoint)
    settings = dict(data_root='', ann_file=str(path), markup=markup, among=_among(config), box='landmarks')
    faces = DATASETS.build({**config.test_dataloader.dataset, **settings})
    predicted = []
    for start in show_progress(range(0, len(faces), _BATCH), f'completing {path.name}', -(-len(faces) // _BATCH)):
        batch = [faces[index] for index in range(start, min(start + _BATCH, len(faces)))]
        with torch.no_grad():
            samples = network.test_step(pseudo_collate(batch))
        predicted += [sample.pred_instances.keypoints[0] for sample in samples]
    return predicted
