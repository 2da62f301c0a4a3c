"""The evaluator of ``tools/test.py``: one table of all rows, its files and its pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.logging import MMLogger
from mmpose.registry import EVALUATORS

from facealign.errors import FaceAlignError
from facealign.evaluation.metric import FaceAlignmentMetric
from facealign.evaluation.report.plots import plot_ced, plot_nme_ppr_mpd, plot_regions
from facealign.evaluation.report.results import Run, face_columns, results_head, write_run
from facealign.evaluation.report.table import is_dense, print_tables
from facealign.utils.terminal import say


@EVALUATORS.register_module()
class FaceEvaluator(Evaluator):
    """Measures the model and its baselines on the same faces and reports them together.

    Prints a table, and writes ``results.json``, ``per_face.csv``, ``ced.png``,
    ``regions.png`` and, for dense markups, ``nme_ppr_mpd.png``. For
    validation during training use a bare ``FaceAlignmentMetric``: this adds
    bootstrap intervals, files and pictures.

    Args:
        metrics: ``FaceAlignmentMetric`` and its baselines, one a row; others are left to MMEngine.
        out_dir: folder of the files; None: the work dir of the run.
        resamples: of the bootstrap.

    Raises:
        FaceAlignError: two rows bear one name, or rows differ in normaliser or thresholds.
    """

    def __init__(
        self,
        metrics: dict | BaseMetric | Sequence,
        out_dir: str | os.PathLike[str] | None = None,
        resamples: int = 1000,
    ) -> None:
        super().__init__(metrics)
        self.out_dir, self.resamples = out_dir, resamples
        rows = [metric for metric in self.metrics if isinstance(metric, FaceAlignmentMetric)]
        names = [row.name for row in rows]
        if len(set(names)) < len(names):
            raise FaceAlignError(f'test_evaluator: two metrics have the same name, among {names}; give each its name=')
        if len({(row.normaliser, row.thresholds, str(row.unions)) for row in rows}) > 1:
            raise FaceAlignError(
                'test_evaluator: its metrics differ in normaliser, thresholds or unions; give all the same'
            )
        self._rows = rows

    def evaluate(self, size: int) -> dict:
        metrics = super().evaluate(size)
        if is_main_process():
            self._report()
        return metrics

    def _report(self) -> None:
        rows = [row for row in self._rows if row.table is not None]
        if rows:
            run = self._run(rows)
            folder = _work_dir() if self.out_dir is None else Path(self.out_dir)
            if folder is not None:
                write_run(run, folder)
                plot_ced(run, folder / 'ced.png')
                plot_regions(run, run.subsets[-1], folder / 'regions.png')
                if is_dense(run):
                    plot_nme_ppr_mpd(run, run.subsets[-1], folder / 'nme_ppr_mpd.png')
            print_tables(run)
            if folder is not None:
                say(f'written: results.json, per_face.csv and pictures in {folder}')
        for row in self._rows:
            if note := getattr(row, 'left_out', None):
                say(f'note: no row {row.name}: {note}')

    def _run(self, rows: list[FaceAlignmentMetric]) -> Run:
        first = rows[0]
        assert first.table is not None
        results = results_head(
            first.table.markup.name, first.normaliser, first.thresholds, first.unions, self.resamples
        )
        results['rows'] = []
        faces = {}
        for row in rows:
            assert row.table is not None
            name = row.name or _config_name()
            results['rows'].append(dict(name=name, about=row.about, subsets=row.measured(self.resamples)))
            faces[name] = face_columns(row.table, row.normaliser)
        return Run(results, faces)


def _work_dir() -> Path | None:
    """MMEngine logs to WORK_DIR/TIME/TIME.log; None outside a run."""
    log = MMLogger.get_current_instance().log_file
    return None if log is None else Path(log).parents[1]


def _config_name() -> str:
    """MMEngine names a run's logger CONFIG_DATE_TIME."""
    return re.sub(r'_\d{8}_\d{6}$', '', MMLogger.get_current_instance().instance_name)
