"""Pictures of results: CED, NME by region, and NME, PPR and MPD in one."""

from __future__ import annotations

import math
import os
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from facealign.evaluation.report.results import Run
from facealign.metrics import ced
from facealign.utils.files import atomic_path

# Paul Tol's "bright" scheme: told apart by colour-blind readers too.
_COLORS = ('#4477AA', '#EE6677', '#228833', '#CCBB44', '#AA3377', '#66CCEE', '#333333', '#BBBBBB')
_STYLE: Any = {
    'figure.constrained_layout.h_pad': 0.1,
    'figure.constrained_layout.w_pad': 0.1,
    'font.family': 'DejaVu Sans',
    'font.size': 10,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.edgecolor': '#666666',
    'axes.titleweight': 'bold',
    'axes.titlesize': 11,
    'axes.grid': True,
    'axes.axisbelow': True,
    'grid.color': '#E4E4E4',
    'legend.edgecolor': 'white',
    'legend.framealpha': 0.9,
    'savefig.dpi': 150,
}
_LONG = {
    'interocular': 'inter-ocular distance',
    'interpupil': 'inter-pupil distance',
    'bbox': "detector box's √(w·h)",
    'landmark_bbox': "landmark rectangle's √(w·h)",
    'diagonal': "landmark rectangle's diagonal",
    'image': "image's √(w·h)",
}
_PANELS = 4


def plot_ced(run: Run, path: str | os.PathLike[str]) -> None:
    """The cumulative error distribution of every row, a panel a subset, up to a little past the first threshold."""
    threshold = run.results['thresholds'][0]
    key = f'{threshold:g}'
    subsets = run.subsets[:_PANELS]
    with matplotlib.rc_context(_STYLE):
        figure, panels = _panels(len(subsets), 5.6, 4.2)
        for panel, subset in zip(panels, subsets):
            rows = [row for row in run.rows if subset in row['subsets']]
            end = 1.25 * threshold
            for i, row in enumerate(rows):
                group = row['subsets'][subset]
                auc = group['normalisers'][run.results['normaliser']]['auc'][key]['value']
                label = f'{auc:.3f}  {row["name"]}' if auc is not None else row['name']
                at, share = _steps(run.errors(row['name'], subset), end)
                panel.plot(100 * at, 100 * share, color=_color(run, row), lw=1.8, label=label, zorder=3 + len(rows) - i)
            panel.axvline(100 * threshold, color='#888888', lw=1, ls=(0, (4, 3)), zorder=2)
            panel.set(xlim=(0, 100 * end), ylim=(0, 101))
            panel.set_xlabel(f'mean error of a face, % of the {_LONG[run.results["normaliser"]]}')
            panel.set_ylabel('faces with at most this error')
            panel.yaxis.set_major_formatter(PercentFormatter())
            panel.set_title(f'{subset}: {rows[0]["subsets"][subset]["faces"]} faces', loc='left')
            panel.legend(title=f'AUC@{key}', loc='lower right', alignment='left')
        _save(figure, path)


def plot_regions(run: Run, subset: str, path: str | os.PathLike[str]) -> None:
    """NME of each region, by the main normaliser, with its interval; a bar a row."""
    rows = [row for row in run.rows if subset in row['subsets']]
    regions = list(rows[0]['subsets'][subset]['regions'])
    main = run.results['normaliser']
    with matplotlib.rc_context(_STYLE):
        figure, (panel,) = _panels(1, 1.6 + 1.1 * len(regions), 3.8)
        width = 0.8 / len(rows)
        for i, row in enumerate(rows):
            numbers = [row['subsets'][subset]['regions'].get(name, {}).get('nme', {}).get(main) for name in regions]
            x = np.arange(len(regions)) + (i - (len(rows) - 1) / 2) * width
            panel.bar(
                x, [_value(n) for n in numbers], 0.92 * width, color=_color(run, row), label=row['name'],
                yerr=_whiskers(numbers), error_kw=dict(lw=1, ecolor='#444444'),
            )  # fmt: skip
        panel.set_xticks(np.arange(len(regions)), [name.replace('_to_', '\nto ').replace('_', ' ') for name in regions])
        panel.grid(axis='x', visible=False)
        panel.set_ylabel(f'mean error, % of the\n{_LONG[main]}')
        panel.set_title(
            f'by region, {subset} ({rows[0]["subsets"][subset]["faces"]} faces; whiskers: 95 %)', loc='left'
        )
        panel.legend(loc='upper left', bbox_to_anchor=(1, 1))
        _save(figure, path)


def plot_nme_ppr_mpd(run: Run, subset: str, path: str | os.PathLike[str]) -> None:
    """Left PPR against N with the best row's numbers, right NME by every normaliser, MPD in the legend."""
    rows = [row for row in run.rows if subset in row['subsets']]
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(11, 4.6), layout='constrained')
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        best = max(([_value(n) for n in row['subsets'][subset]['ppr'].values()] for row in rows), key=sum)
        for row in rows:
            group = row['subsets'][subset]
            limits = [int(n) for n in group['ppr']]
            shares = [_value(number) for number in group['ppr'].values()]
            label = f'{_text(group["mpd"])} px  {row["name"]}'
            left.plot(limits, shares, 'o-', color=_color(run, row), ms=4, lw=1.8, label=label)
            if shares == best:
                for n, share in zip(limits, shares):
                    left.annotate(
                        f'{share:.1f}', (n, share), (0, 7), textcoords='offset points', ha='center', fontsize=8
                    )
        left.set(xticks=limits, xlim=(limits[0] - 0.5, limits[-1] + 0.5), ylim=(0, 108))
        left.set_yticks(range(0, 101, 20))
        left.yaxis.set_major_formatter(PercentFormatter())
        left.set_xlabel('N, pixels of the original image')
        left.set_ylabel('points closer than N pixels (PPR)')
        left.set_title(f'PPR and MPD, {subset}: {rows[0]["subsets"][subset]["faces"]} faces', loc='left')
        left.legend(title='MPD', loc='lower right', alignment='left')
        names = list(rows[0]['subsets'][subset]['normalisers'])
        height = 0.8 / len(rows)
        for i, row in enumerate(rows):
            numbers = [row['subsets'][subset]['normalisers'].get(name, {}).get('mean') for name in names]
            y = np.arange(len(names)) + (i - (len(rows) - 1) / 2) * height
            bars = right.barh(
                y,
                [_value(n) for n in numbers],
                0.92 * height,
                color=_color(run, row),
                xerr=_whiskers(numbers),
                error_kw=dict(lw=1, ecolor='#444444'),
            )
            right.bar_label(bars, [_text(n, 100) for n in numbers], padding=6, fontsize=8)
        right.set_yticks(range(len(names)), [name.replace('_', ' ') for name in names])
        right.invert_yaxis()
        right.margins(x=0.15)
        right.grid(axis='y', visible=False)
        right.set_xlabel('mean error (NME), % of the normaliser')
        right.set_title('NME by normaliser', loc='left')
        _save(figure, path)


def _panels(count: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    columns = min(count, 2)
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(width * columns, height * rows), layout='constrained')
    panels = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
    return figure, panels


def _steps(errors: np.ndarray, end: float) -> tuple[np.ndarray, np.ndarray]:
    at = np.linspace(0, end, 500)
    return at, ced(errors, at)


def _color(run: Run, row: dict[str, Any]) -> str:
    return _COLORS[[other['name'] for other in run.rows].index(row['name']) % len(_COLORS)]


def _value(number: dict | None) -> float:
    return np.nan if number is None or number['value'] is None else 100 * number['value']


def _text(number: dict | None, factor: float = 1) -> str:
    return '–' if number is None or number['value'] is None else f'{factor * number["value"]:.2f}'


def _whiskers(numbers: list[dict | None]) -> np.ndarray | None:
    """[2, n] lengths below and above, percent; None without intervals."""
    ends = [
        [n['value'] - n['low'], n['high'] - n['value']] if n and n.get('low') is not None else [0, 0] for n in numbers
    ]
    return 100 * np.maximum(np.array(ends).T, 0) if np.any(ends) else None


def _save(figure: Figure, path: str | os.PathLike[str]) -> None:
    with atomic_path(path) as temporary:
        figure.savefig(temporary)
