"""Results as tables: for the terminal (at most 80 columns) and as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from facealign.evaluation.report.results import Run
from facealign.utils.terminal import cell

_SHORT = {'interocular': 'i-o', 'interpupil': 'pupil', 'landmark_bbox': 'box', 'bbox': 'det. box', 'image': 'image'}
_PPR_SHOWN = ('1', '2', '3', '5', '8', '10')
Number = dict[str, Any]


def print_tables(run: Run, console: Console | None = None) -> None:
    """The main table of every subset, then NME by region, and PPR where the markup is dense."""
    console = console or Console(width=80)
    for subset in run.subsets:
        console.print(_rich(_title(run, subset), *main_table(run, subset)))
    subset = run.subsets[-1]
    console.print(_rich(f'NME by region, {_long(run.results["normaliser"])} % ({subset})', *region_table(run, subset)))
    if is_dense(run):
        console.print(_rich(f'points closer than N pixels, %; MPD, pixels ({subset})', *ppr_table(run, subset)))
        if any('visibility' in row['subsets'].get(subset, {}) for row in run.rows):
            console.print(_rich(f'visible and invisible points ({subset})', *visibility_table(run, subset)))
    for note in notes(run):
        console.print(f'note: {cell(note)}', highlight=False)


def is_dense(run: Run) -> bool:
    """Whether these are markups of 106 points, for which PPR is published."""
    return run.results['markup'] != 'ibug68'


def markdown_tables(run: Run) -> str:
    """Everything :func:`print_tables` shows, and the attributes, for a README."""
    parts = []
    for subset in run.subsets:
        parts.append(_markdown(_title(run, subset), *main_table(run, subset, long=True)))
        parts.append(_markdown(f'NME by region, {_long(run.results["normaliser"])} %', *region_table(run, subset)))
        if is_dense(run):
            parts.append(
                _markdown('points closer than N pixels, %; MPD, pixels', *ppr_table(run, subset, all_limits=True))
            )
            if any('visibility' in row['subsets'].get(subset, {}) for row in run.rows):
                parts.append(_markdown('visible and invisible points', *visibility_table(run, subset)))
            for row in run.rows:
                if attributes := row['subsets'].get(subset, {}).get('attributes'):
                    parts.append(_markdown(f'{row["name"]} by attribute', *attribute_table(run, attributes)))
    return '\n'.join(parts + [f'- {note}' for note in notes(run)]) + '\n'


def notes(run: Run) -> list[str]:
    """What a reader of the numbers must know."""
    lines = []
    confidence = 100 * run.results['confidence']
    lines.append(
        f'AUC, FR: errors divided by {run.results["normalisers"][run.results["normaliser"]]}; '
        f'[low, high]: {confidence:g} % interval, of AUC by bootstrap over faces, of FR by Clopper and Pearson'
    )
    if any(group['undetected'] for row in run.rows for group in row['subsets'].values()):
        lines.append('*: some faces were not detected; they are failures in AUC, FR and PPR, means are over the others')
    for row in run.rows:
        if training := row['about'].get('training'):
            lines.append(f'{row["name"]}: {row["about"].get("predictor", "")}, training {training}')
    return lines


def main_table(run: Run, subset: str, long: bool = False) -> tuple[list[str], list[list[str]]]:
    """Headings and cells: NME inter-ocular and by the main normaliser, then AUC and FR at each threshold."""
    main, thresholds = run.results['normaliser'], [f'{t:g}' for t in run.results['thresholds']]
    shown = list(dict.fromkeys(['interocular', main]))
    headings = ['model', *(f'NME {_long(name)} %' if long else f'NME\n{_SHORT.get(name, name)} %' for name in shown)]
    for i, t in enumerate(thresholds):
        interval = ' [95 %]' if long and not i else ''  # the terminal has room for one
        headings += [f'AUC@{t}{interval}', f'FR@{t}{interval}']

    def cells(row: dict, group: dict) -> list[str]:
        measured = group['normalisers']
        line = [_percent(measured[name]['mean'], group['undetected']) if name in measured else '–' for name in shown]
        for i, t in enumerate(thresholds):
            line += [
                _number(measured[main]['auc'][t], 3, interval=not i),
                _number(measured[main]['fr'][t], 3, long and not i),
            ]
        return line

    return headings, _lines(run, subset, cells)


def region_table(run: Run, subset: str) -> tuple[list[str], list[list[str]]]:
    """NME in percent of each region, by the main normaliser."""
    regions = list(dict.fromkeys(name for row in run.rows for g in row['subsets'].values() for name in g['regions']))

    def cells(row: dict, group: dict) -> list[str]:
        nme = [group['regions'].get(name, {}).get('nme', {}) for name in regions]
        return [_percent(value.get(run.results['normaliser']), group['undetected']) for value in nme]

    return ['model', *(name.replace('contour_to_curve', 'contour\nto curve') for name in regions)], _lines(
        run, subset, cells
    )


def ppr_table(run: Run, subset: str, all_limits: bool = False) -> tuple[list[str], list[list[str]]]:
    """PPR in percent, and MPD in pixels."""
    limits = list(run.rows[0]['subsets'][subset]['ppr']) if all_limits else list(_PPR_SHOWN)

    def cells(row: dict, group: dict) -> list[str]:
        return [*(_percent(group['ppr'][n], digits=1) for n in limits), _number(group['mpd'], 2)]

    return ['model', *(f'N={n}' for n in limits), 'MPD'], _lines(run, subset, cells)


def visibility_table(run: Run, subset: str) -> tuple[list[str], list[list[str]]]:
    """Visible and invisible points apart: how many, NME, MPD and PPR."""
    lines = []
    for row in run.rows:
        for name, part in row['subsets'].get(subset, {}).get('visibility', {}).items():
            lines.append([row['name'], name, str(part['points']), *_summary(run, part)])
    return ['model', 'points', 'number', *_summary_headings(run)], lines


def attribute_table(run: Run, attributes: dict) -> tuple[list[str], list[list[str]]]:
    """One line for each value of each attribute."""
    lines = [
        [name, value, str(part['faces']), *_summary(run, part)]
        for name, values in attributes.items()
        for value, part in values.items()
    ]
    return ['attribute', 'value', 'faces', *_summary_headings(run)], lines


def _summary_headings(run: Run) -> list[str]:
    return ['NME i-o %', f'AUC@{run.results["thresholds"][0]:g}', 'MPD', 'PPR@3 %']


def _summary(run: Run, part: dict) -> list[str]:
    auc = part['auc'][f'{run.results["thresholds"][0]:g}']
    return [
        _percent(part['nme'].get('interocular')),
        _number(auc, 3),
        _number(part['mpd'], 2),
        _percent(part['ppr']['3'], digits=1),
    ]


def _lines(run: Run, subset: str, cells: Callable[[dict, dict], list[str]]) -> list[list[str]]:
    return [[row['name'], *cells(row, row['subsets'][subset])] for row in run.rows if subset in row['subsets']]


def _title(run: Run, subset: str) -> str:
    group = next(row['subsets'][subset] for row in run.rows if subset in row['subsets'])
    return f'{subset}: {group["faces"]} faces'


def _long(normaliser: str) -> str:
    return {'interocular': 'inter-ocular', 'landmark_bbox': 'landmark box', 'bbox': 'detector box'}.get(
        normaliser, normaliser
    )


def _percent(number: Number | None, undetected: int = 0, digits: int = 2) -> str:
    if number is None or number['value'] is None:
        return '–'
    return f'{100 * number["value"]:.{digits}f}' + ('*' if undetected else '')


def _number(number: Number, digits: int, interval: bool = False) -> str:
    if number['value'] is None:
        return '–'
    text = f'{number["value"]:.{digits}f}'
    if interval and number.get('low') is not None:
        low, high = (f'{number[end]:.{digits}f}'.removeprefix('0') for end in ('low', 'high'))
        text += f' [{low}, {high}]'
    return text


def _rich(title: str, headings: Sequence[str], lines: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify='left', title_style='bold', box=SIMPLE_HEAD)
    for i, heading in enumerate(headings):
        table.add_column(heading, justify='right' if i else 'left', overflow='fold', no_wrap=bool(i))
    for line in lines:
        table.add_row(*(cell(text) for text in line))
    return table


def _markdown(title: str, headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [[heading.replace('\n', ' ') for heading in headings], ['---', *['--:'] * (len(headings) - 1)], *lines]
    return f'**{title}**\n\n' + '\n'.join('| ' + ' | '.join(row) + ' |' for row in rows) + '\n'
