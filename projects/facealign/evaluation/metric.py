"""The field's metric for MMEngine: thin classes over :mod:`facealign.metrics.table`."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS

from facealign.errors import FaceAlignError
from facealign.markup import get_markup
from facealign.metrics import NORMALISERS
from facealign.metrics.faces import Faces
from facealign.metrics.table import UNIONS, ErrorTable, flat_metrics, measure, subset_masks


@METRICS.register_module()
class FaceAlignmentMetric(BaseMetric):
    """NME by every named normaliser, AUC, FR and MPD, overall and per subset.

    Keys: ``auc@0.08``, ``fr@0.08``, ``auc@1``, ``fr@1``, ``nme_interocular``,
    ``nme_landmark_bbox``, …, ``mpd`` and the same as ``SUBSET/auc@0.08``. NME
    and MPD are means over the faces with a prediction; a face that was not
    detected counts in AUC and FR, as a failure, and in ``undetected``. The
    numbers are the same on any number of processes.

    Args:
        name: of its row in tables; None: the name of the run's config.
        normaliser: of AUC and FR; a key of ``facealign.metrics.NORMALISERS``.
        thresholds: of AUC and FR, fractions of the normaliser.
        unions: further rows: name → subsets that it joins, if all are there.
        prefix: put before every key.

    Attributes:
        table: every face and its errors, after :meth:`evaluate`, on the main process.
        about: what a reader of the results should know of this row.
    """

    def __init__(
        self,
        name: str | None = None,
        normaliser: str = 'landmark_bbox',
        thresholds: Sequence[float] = (0.08, 1.0),
        unions: Mapping[str, Sequence[str]] = UNIONS,
        prefix: str | None = None,
    ) -> None:
        # 'gpu' gathers through the process group, whatever the device; 'cpu' would through files in the current folder.
        super().__init__(collect_device='gpu', prefix=prefix or 'none')
        self.prefix = prefix  # MMEngine warns of a metric without
        if normaliser not in NORMALISERS:
            raise FaceAlignError(f'normaliser={normaliser!r}: no such normaliser; there are: {", ".join(NORMALISERS)}')
        if not thresholds or min(thresholds) <= 0:
            raise FaceAlignError(f'thresholds={thresholds!r}: must be fractions greater than 0')
        self.name, self.normaliser = name, normaliser
        self.thresholds = tuple(float(t) for t in thresholds)
        self.unions = {union: tuple(parts) for union, parts in unions.items()}
        self.table: ErrorTable | None = None
        self.about: dict[str, Any] = {}

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep each face's points; see ``PackFaceInputs`` for the keys of a sample."""
        for sample in data_samples:
            self.results.append(_face(sample, _array(sample['pred_instances']['keypoints'])[0]))

    def evaluate(self, size: int) -> dict[str, float]:
        """As MMEngine's, but what the last batch was padded with goes by annotation, not by ``size``."""
        return super().evaluate(sys.maxsize)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        faces = gather_faces(results)
        self.table = ErrorTable(faces, get_markup(self._markup_name()))
        if self.normaliser not in self.table.sizes:
            raise FaceAlignError(
                f'normaliser {self.normaliser}: these faces have no such size; '
                'convert the data with --boxes, or choose another normaliser'
            )
        metrics = self._flat(np.ones(len(faces), bool))
        metrics['undetected'] = float(self.table.undetected().sum())
        for subset, mask in subset_masks(faces.subsets, self.unions).items():
            if subset != 'all':
                metrics.update({f'{subset}/{key}': value for key, value in self._flat(mask).items()})
        return metrics

    def measured(self, resamples: int) -> dict[str, dict[str, Any]]:
        """Subset → all its measures (see :func:`facealign.metrics.table.measure`), after :meth:`evaluate`."""
        assert self.table is not None
        return {
            subset: measure(self.table, mask, self.normaliser, self.thresholds, resamples)
            for subset, mask in subset_masks(self.table.faces.subsets, self.unions).items()
        }

    def _flat(self, mask: np.ndarray) -> dict[str, float]:
        assert self.table is not None
        flat = flat_metrics(measure(self.table, mask, self.normaliser, self.thresholds), self.normaliser)
        return {key: value for key, value in flat.items() if not key.startswith('ppr')}

    def _markup_name(self) -> str:
        if not self.dataset_meta or 'dataset_name' not in self.dataset_meta:
            raise ValueError('the metric has no dataset_meta; use it with a FaceDataset')
        return self.dataset_meta['dataset_name']


def key_prefix(name: str) -> str:
    """A row's name as the prefix of its keys.

    >>> key_prefix('dlib ERT')
    'dlib_ert'
    """
    return re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_')


def gather_faces(results: list[dict]) -> Faces:
    """The faces of all processes, each once and always in the same order."""
    unique = {(face['path'], face['id']): face for face in results}
    if not unique:
        raise FaceAlignError('nothing was measured: the dataset has no faces')
    ordered = [unique[key] for key in sorted(unique)]
    columns = {key: [face[key] for face in ordered] for key in ordered[0]}
    return Faces(
        predictions=np.stack(columns['prediction']),
        points=np.stack(columns['points']),
        visibility=np.stack(columns['visibility']),
        detected=np.array(columns['detected']),
        subsets=np.array(columns['subset']),
        face_boxes=np.stack(columns['face_box']),
        image_sizes=np.array(columns['image_size']),
        ids=np.array(columns['id']),
        files=np.array(columns['file']),
        attributes=columns['attributes'],
    )


def _face(sample: dict, prediction: np.ndarray) -> dict[str, Any]:
    """What is kept of one face, in the pixels of the original image where the file is a cut of it."""
    truth = sample['gt_instances']
    points = _array(truth['keypoints'])[0].astype(np.float32)
    visible = _array(truth['keypoints_visible']).reshape(len(points), -1)[:, 0]
    visibility = sample.get('visibility')
    visibility = np.where(visible > 0, 2, 0) if visibility is None else np.asarray(visibility)
    points[visibility == 0] = np.nan
    height, width = sample.get('ori_shape', (np.nan, np.nan))[:2]
    size, box = (width, height), sample.get('face_bbox')
    corners = np.full((2, 2), np.nan) if box is None else np.asarray(box, float).reshape(2, 2)
    if sample.get('to_original') is not None:
        to_original = np.asarray(sample['to_original'], float)
        prediction, points, corners = (
            xy @ to_original[:, :2].T + to_original[:, 2] for xy in (prediction, points, corners)
        )
        size = sample['original_size']
    return dict(
        id=int(sample['id']),
        path=str(sample['img_path']),
        file=str(sample.get('file_name', sample['img_path'])),
        subset=str(sample.get('subset', '')),
        detected=bool(sample.get('detected', True)),
        prediction=prediction.astype(np.float32),
        points=points.astype(np.float32),
        visibility=visibility.astype(np.uint8),
        face_box=corners.reshape(4).astype(np.float32),
        image_size=(float(size[0]), float(size[1])),
        attributes=dict(sample.get('attributes') or {}),
    )


def _array(value: Any) -> np.ndarray:
    return value.cpu().numpy() if hasattr(value, 'cpu') else np.asarray(value)
