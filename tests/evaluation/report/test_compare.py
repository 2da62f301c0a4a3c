"""Several runs in one table, and numbers of it in summary.json."""

from __future__ import annotations

import json

import pytest

from facealign.errors import FaceAlignError
from facealign.evaluation.report.compare import merge_runs, summary_number
from facealign.evaluation.report.results import read_run
from facealign.evaluation.report.table import markdown_tables
from facealign.evaluation.summary_file import update_summary

from ..runs import make_run


def test_a_run_is_read_as_it_was_written(tmp_path):
    run = make_run(tmp_path, YinNet=2.0)
    again = read_run(tmp_path)
    assert again.results == run.results
    assert again.errors('YinNet', 'common') == pytest.approx(run.errors('YinNet', 'common'), rel=1e-6)
    assert again.faces['YinNet'].files == run.faces['YinNet'].files


def test_rows_of_several_runs_share_a_table(tmp_path):
    make_run(tmp_path / 'a', YinNet=2.0, dlib=3.0)
    make_run(tmp_path / 'b', ONet=4.0, dlib=3.0)
    make_run(tmp_path / 'c', YinNet=5.0)
    run = merge_runs([tmp_path / name for name in 'abc'], rename=dict(ONet='ONet, reference'))
    assert [row['name'] for row in run.rows] == ['YinNet', 'dlib', 'ONet, reference', 'YinNet (c)']
    run = merge_runs([tmp_path / 'b', tmp_path / 'a'], keep=['YinNet', 'ONet'])
    assert [row['name'] for row in run.rows] == list(run.faces) == ['YinNet', 'ONet']
    table = markdown_tables(run)
    assert '| YinNet | ' in table
    assert '**full: 20 faces**' in table


def test_runs_that_were_measured_otherwise_do_not_mix(tmp_path):
    make_run(tmp_path / 'a', YinNet=2.0)
    make_run(tmp_path / 'b', ONet=2.0)
    results = json.loads((tmp_path / 'b/results.json').read_text())
    (tmp_path / 'b/results.json').write_text(json.dumps({**results, 'normaliser': 'interocular'}))
    with pytest.raises(FaceAlignError, match='its normaliser is interocular'):
        merge_runs([tmp_path / 'a', tmp_path / 'b'])


def test_missing_rows_and_files_are_one_line(tmp_path):
    make_run(tmp_path, YinNet=2.0)
    with pytest.raises(FaceAlignError, match='no row ONet; there are: YinNet'):
        merge_runs([tmp_path], keep=['ONet'])
    with pytest.raises(FaceAlignError, match='give the work dir of a tools/test.py run'):
        merge_runs([tmp_path / 'gone'])
    (tmp_path / 'results.json').write_text('{"rows": 3}')
    with pytest.raises(FaceAlignError, match='not results of tools/test.py'):
        merge_runs([tmp_path])


def test_a_key_ends_in_what_it_names(tmp_path):
    run = make_run(tmp_path, YinNet=2.0)
    group = run.rows[0]['subsets']['common']
    main = group['normalisers']['landmark_bbox']
    for key, value in {
        'yinnet.common.auc08': main['auc']['0.08']['value'],
        'yinnet.common.auc1': main['auc']['1']['value'],
        'yinnet.common.fr08': main['fr']['0.08']['value'],
        'x.nme_interocular_pct': 100 * group['normalisers']['interocular']['mean']['value'],
        'x.mpd_px': group['mpd']['value'],
        'x.ppr3_pct': 100 * group['ppr']['3']['value'],
        'x.ppr10_pct': 100 * group['ppr']['10']['value'],
    }.items():
        assert summary_number(run, key, 'YinNet', 'common') == pytest.approx(value)
    with pytest.raises(FaceAlignError, match='give one of the subsets of YinNet, as YinNet@SUBSET'):
        summary_number(run, 'yinnet.common.auc08', 'YinNet')
    with pytest.raises(FaceAlignError, match='"auc99" names no number'):
        summary_number(run, 'x.auc99', 'YinNet', 'common')


def test_summary_keeps_other_keys_and_sorts_them(tmp_path):
    path = tmp_path / 'summary.json'
    update_summary(path, {'b.auc08': 0.7271234567})
    update_summary(path, {'a.seconds': 3, 'b.auc08': 0.5})
    assert json.loads(path.read_text()) == {'a.seconds': 3.0, 'b.auc08': 0.5}
    assert path.read_text().index('a.seconds') < path.read_text().index('b.auc08')
    with pytest.raises(FaceAlignError, match='not finite'):
        update_summary(path, {'c': float('nan')})
    assert json.loads(path.read_text()) == {'a.seconds': 3.0, 'b.auc08': 0.5}
    path.write_text('[1]')
    with pytest.raises(FaceAlignError, match='not a map from key to number'):
        update_summary(path, {'c': 1})
