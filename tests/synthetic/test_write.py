"""The folder of sample data: the same bytes each time, read back by the converter's readers."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from facealign.conversion.readers.datatang import read_datatang
from facealign.conversion.readers.w300 import read_300w
from facealign.errors import FaceAlignError
from facealign.synthetic import write
from facealign.synthetic.layout import datatang_name, is_challenge, w300_name
from facealign.synthetic.render import random_face
from facealign.synthetic.write import STAMP, Sample, draw_sample

SAMPLE = Sample(num=24, seed=3, size=96)


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


@pytest.fixture(scope='module')
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('sample')
    assert draw_sample(folder, SAMPLE, workers=1)
    return folder


def test_two_processes_write_the_same_bytes(drawn: Path, tmp_path: Path) -> None:
    draw_sample(tmp_path, SAMPLE, workers=2)
    assert _digests(tmp_path) == _digests(drawn)
    assert len(_digests(drawn)) == 4 * SAMPLE.num + 1
    assert sorted(_digests(drawn)) == sorted([*SAMPLE.files(), STAMP])


def test_another_seed_draws_others(drawn: Path, tmp_path: Path) -> None:
    draw_sample(tmp_path, Sample(num=12, seed=4, size=96), workers=1)
    ours, theirs = _digests(drawn), _digests(tmp_path)
    assert not any(theirs[name] == ours[name] for name in theirs)


def test_the_300w_reader_takes_every_face(drawn: Path) -> None:
    gathered = read_300w(drawn / '300w')
    assert not gathered.left_out
    assert Counter(face.split for face in gathered.faces) == {'train': 18, 'test_common': 4, 'test_challenge': 2}
    by_name = {face.file_name: face for face in gathered.faces}
    for i in (0, 5, 11):
        face = random_face((SAMPLE.seed, i), SAMPLE.size, hard=is_challenge(i))
        read = by_name[f'{w300_name(i)}.jpg']
        np.testing.assert_allclose(read.points, face.points68, atol=5.1e-4)
        assert read.size == face.image.shape[1::-1]


def test_the_datatang_reader_takes_every_face(drawn: Path) -> None:
    gathered = read_datatang(drawn / 'datatang106')
    assert not gathered.left_out and len(gathered.faces) == SAMPLE.num
    by_name = {face.file_name: face for face in gathered.faces}
    for i in (0, 11):
        face = random_face((SAMPLE.seed, i), SAMPLE.size, hard=is_challenge(i))
        np.testing.assert_allclose(by_name[f'{datatang_name(i)}.jpg'].points, face.points106, atol=5.1e-4)


def test_both_layouts_hold_the_same_pictures(drawn: Path) -> None:
    for i in range(SAMPLE.num):
        pictures = [drawn / '300w' / f'{w300_name(i)}.jpg', drawn / 'datatang106' / f'{datatang_name(i)}.jpg']
        assert pictures[0].read_bytes() == pictures[1].read_bytes()


def test_runs_again_only_where_something_differs(tmp_path: Path) -> None:
    small = Sample(num=12, seed=1, size=96)
    assert draw_sample(tmp_path, small, workers=1)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*.*')}
    assert not draw_sample(tmp_path, small, workers=1)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob('*.*')} == before
    missing = tmp_path / small.files()[0]
    content = missing.read_bytes()
    missing.unlink()
    assert draw_sample(tmp_path, small, workers=1)
    assert missing.read_bytes() == content


def test_an_interrupted_run_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Sample(num=12, seed=1, size=96)
    with monkeypatch.context() as patch:
        patch.setattr(write, '_write', _fail)
        with pytest.raises(KeyboardInterrupt):
            draw_sample(tmp_path, small, workers=1)
    assert json.loads((tmp_path / STAMP).read_text())['complete'] is False
    assert draw_sample(tmp_path, small, workers=1)


def _fail(*args) -> None:
    raise KeyboardInterrupt


def test_fewer_faces_leave_no_old_ones(tmp_path: Path) -> None:
    draw_sample(tmp_path, Sample(num=16, seed=1, size=96), workers=1)
    draw_sample(tmp_path, Sample(num=12, seed=1, size=96), workers=1)
    assert sorted(_digests(tmp_path)) == sorted([*Sample(num=12).files(), STAMP])


def test_other_peoples_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / '300w' / 'afw').mkdir(parents=True)
    with pytest.raises(FaceAlignError, match='300w: holds files that this command did not draw'):
        draw_sample(tmp_path, SAMPLE)
    other = tmp_path / 'other'
    other.mkdir()
    (other / STAMP).write_text('{"faces": 3}')
    with pytest.raises(FaceAlignError, match='sample.json: not written by this command'):
        draw_sample(other, SAMPLE)


@pytest.mark.parametrize(
    ('sample', 'message'),
    [(Sample(num=11), '--num 11'), (Sample(size=95), '--size 95'), (Sample(seed=-1), '--seed -1')],
)
def test_arguments_out_of_range(sample: Sample, message: str, tmp_path: Path) -> None:
    with pytest.raises(FaceAlignError, match=message):
        draw_sample(tmp_path / 'new', sample)
    assert not (tmp_path / 'new').exists()
