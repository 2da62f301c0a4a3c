"""``tools/train_dlib.py`` as a user calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ..evaluation.training_faces import write_training_faces

TOOL = Path(__file__).resolve().parents[2] / 'tools/train_dlib.py'


@pytest.fixture
def config(tmp_path):
    """A config that names 12 drawn faces as its training data."""
    write_training_faces(tmp_path / 'data', 12)
    path = tmp_path / 'config.py'
    dataset = dict(type='FaceDataset', data_root=str(tmp_path / 'data'), ann_file='train.json')
    path.write_text(f'train_dataloader = dict(dataset={dataset!r})\n')
    return path


def run(*words):
    return subprocess.run([sys.executable, str(TOOL), *map(str, words)], capture_output=True, text=True, timeout=120)


def test_a_predictor_and_its_record_are_written_beside_the_data(config):
    pytest.importorskip('dlib', reason='needs dlib (dlib-bin)')
    done = run(config, '--boxes', 'landmarks', '--cascade-depth', 2, '--trees', 5, '--oversampling', 2)
    assert done.returncode == 0, done.stderr
    folder = config.parent / 'data'
    assert 'written: ' in done.stdout
    about = json.loads((folder / 'dlib_ert.json').read_text())
    assert about['faces'] == 12
    assert about['options']['trees'] == 5
    import dlib

    assert dlib.shape_predictor(str(folder / 'dlib_ert.dat'))


@pytest.mark.parametrize(
    'words, said',
    [
        (['gone.py'], 'gone.py: no such config'),
        (['CONFIG', '--ann-file', 'gone.json'], 'cannot be read'),
        (['CONFIG', '--trees', '0'], '--trees: must be at least 1'),
    ],
)
def test_mistakes_are_one_line(config, words, said):
    done = run(*(config if word == 'CONFIG' else word for word in words))
    assert done.returncode == 2
    assert said in done.stderr
    assert 'Traceback' not in done.stderr
