"""``tools/compare.py`` as a user calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ..evaluation.runs import make_run

TOOL = Path(__file__).resolve().parents[2] / 'tools/compare.py'


def run(*words):
    return subprocess.run([sys.executable, str(TOOL), *map(str, words)], capture_output=True, text=True, timeout=120)


def test_one_table_one_picture_and_summary_keys(tmp_path):
    first = make_run(tmp_path / 'a', yinnet_128=2.0)
    make_run(tmp_path / 'b', ONet=4.0)
    folders = [tmp_path / name for name in ('a', 'b')]
    keys = ['yinnet.common.auc08=YinNet@common', 'onet.full.fr08=ONet@full']
    names = ['--rename', 'yinnet_128=YinNet']
    done = run(*folders, '--out', tmp_path / 'out', *names, '--summary', tmp_path / 'summary.json', '--key', *keys)
    assert done.returncode == 0, done.stderr
    written = {path.name for path in (tmp_path / 'out').iterdir()}
    assert written == {'table.md', 'results.json', 'per_face.csv', 'ced.png', 'regions.png'}
    assert '| YinNet |' in (tmp_path / 'out/table.md').read_text()
    summary = json.loads((tmp_path / 'summary.json').read_text())
    auc = first.rows[0]['subsets']['common']['normalisers']['landmark_bbox']['auc']['0.08']['value']
    assert abs(summary['yinnet.common.auc08'] - auc) < 1e-6
    assert set(summary) == {'onet.full.fr08', 'yinnet.common.auc08'}


def test_a_wrong_run_is_one_line(tmp_path):
    done = run(tmp_path / 'gone')
    assert done.returncode == 2
    assert done.stderr.count('\n') == 1
    assert 'give the work dir of a tools/test.py run' in done.stderr
