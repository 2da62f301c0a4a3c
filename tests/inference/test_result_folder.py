"""Runs into one folder, of any inputs, broken off anywhere: tables and files on disk are those of the inputs."""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from facealign.errors import FaceAlignError
from facealign.inference.align_files import Options, align_files
from facealign.inference.journal import Journal
from facealign.inference.sources import find_sources
from facealign.io.pts import read_pts
from facealign.markup import IBUG68
from facealign.structures.face import Face

# Names that would meet if the suffix went, or the folder, or a further face's number.
NAMES = ['1.png', '1.jpg', '1.jpg.png', 'p.png', 'p.2.png', 'a/1.png', 'b/1.png', 'A/1.png']


class Killed(BaseException):
    """Not to be caught."""


class FakeAligner:
    """Finds as many faces as a picture's first pixel says, with points that name the picture and the face.

    Args:
        calls: after so many pictures it is killed.
    """

    model = SimpleNamespace(name='fake', info=SimpleNamespace(markup=IBUG68, scores=''))
    detector = None

    def __init__(self, calls: int = 10**6) -> None:
        self.calls = calls

    def detect(self, image: np.ndarray, path: Path) -> np.ndarray:
        self.calls -= 1
        if self.calls < 0:
            raise Killed
        return np.tile([1.0, 1, 9, 9, 0.5], (int(image[0, 0, 0]), 1))

    def is_full(self, pending: list) -> bool:
        return len(pending) >= 2

    def align(self, images: list, boxes: list, turned: bool = False) -> list[list[Face]]:
        return [
            [Face(points(number_of(image), i), np.ones(68), box[:4], 0.5, IBUG68) for i, box in enumerate(rows)]
            for image, rows in zip(images, boxes)
        ]


def number_of(image: np.ndarray) -> int:
    return int(image[0, 0, 1])


def points(number: int, face: int) -> np.ndarray:
    return np.tile([float(number), float(face)], (68, 1))


def write(path: Path, faces: int, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode('.png', np.full((16, 16, 3), (faces, number, 0), np.uint8))[1].tobytes())


def pairs_on_disk(out: Path) -> list[tuple[float, float]]:
    return sorted(tuple(read_pts(file)[0]) for file in out.rglob('*.pts'))


class Runs(RuleBasedStateMachine):
    """What the folder must hold is kept beside it: each input's faces when it was last aligned, and its drawing."""

    @initialize()
    def begin(self) -> None:
        self.top = Path(tempfile.mkdtemp())
        self.out, self.photos = self.top / 'out', self.top / 'photos'
        self.numbers = iter(range(1, 250))
        self.content: dict[str, tuple[int, int] | None] = {}
        self.results: dict[str, tuple[int, int]] = {}
        self.failed: set[str] = set()
        self.formats: set[str] = set()
        self.drawn: set[str] = set()
        self.has_run = False

    def teardown(self) -> None:
        shutil.rmtree(self.top, ignore_errors=True)

    @rule(name=st.sampled_from(NAMES), faces=st.integers(0, 3))
    def write(self, name: str, faces: int) -> None:
        self.content[name] = faces, next(self.numbers)
        write(self.photos / name, *self.content[name])

    @rule(name=st.sampled_from(NAMES))
    def spoil(self, name: str) -> None:
        if name in self.content:
            self.content[name] = None
            (self.photos / name).write_text('no picture any more')

    @precondition(lambda self: self.content)
    @rule(
        data=st.data(),
        formats=st.sets(st.sampled_from(['json', 'csv', 'pts', 'npy', 'alphapose']), min_size=1),
        draw=st.booleans(),
        killed_after=st.none() | st.integers(0, 5),
        restart=st.booleans(),
    )
    def run(self, data: st.DataObject, formats: set[str], draw: bool, killed_after: int | None, restart: bool) -> None:
        names = data.draw(st.lists(st.sampled_from(sorted(self.content)), min_size=1, unique=True))
        options = Options(self.out, tuple(sorted(formats)), draw, restart=restart)
        if killed_after is not None:
            with suppress(Killed):
                self._align(FakeAligner(killed_after), names, options)
        self._align(FakeAligner(), names, options)
        self.formats |= formats
        for name in names:
            self._expect(name, draw, restart)
        self.has_run = True

    def _align(self, aligner: FakeAligner, names: list[str], options: Options) -> None:
        sources = find_sources([str(self.photos / name) for name in names])
        align_files(aligner, sources, options)  # type: ignore[arg-type]

    def _expect(self, name: str, draw: bool, restart: bool) -> None:
        content = self.content[name]
        if content is None:
            self.results.pop(name, None)
            self.failed.add(name)
            self.drawn.discard(name)
            return
        if (restart or self.results.get(name) != content) and not draw:  # done again, without a drawing
            self.drawn.discard(name)
        if draw:
            self.drawn.add(name)
        self.results[name] = content
        self.failed.discard(name)

    @invariant()
    def tables_and_files_are_those_of_the_inputs(self) -> None:
        if not getattr(self, 'has_run', False):
            return
        faces = sorted((number, face) for count, number in self.results.values() for face in range(count))
        if 'json' in self.formats:
            table = json.loads((self.out / 'landmarks.json').read_text())
            found = sorted(tuple(face['points'][0]) for image in table['images'] for face in image['faces'])
            assert found == faces
            assert len({image['file'] for image in table['images']}) == len(table['images']) == len(self.results)
            assert len(table['failures']) == len(self.failed)
        if 'csv' in self.formats:
            with open(self.out / 'landmarks.csv', newline='') as file:
                rows = list(csv.DictReader(file))
            assert sorted((float(row['x0']), float(row['y0'])) for row in rows if row['face']) == faces
            assert len({row['image'] for row in rows}) == len(self.results) + len(self.failed)
        if 'alphapose' in self.formats:
            entries = json.loads((self.out / 'alphapose-results.json').read_text())
            assert sorted(tuple(entry['keypoints'][:2]) for entry in entries if entry['keypoints']) == faces
        assert pairs_on_disk(self.out) == (faces if 'pts' in self.formats else [])
        stacks = [np.load(file) for file in self.out.rglob('*.npy')]
        assert sum(map(len, stacks)) == (len(faces) if 'npy' in self.formats else 0)
        assert len(list((self.out / 'images').rglob('*.jpg'))) == len(self.drawn)
        assert (self.out / 'failures.csv').exists() == bool(self.failed)
        assert not list(self.out.rglob('*.part*'))


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)


def test_other_settings_take_the_folder_over_with_restart_alone(tmp_path: Path) -> None:
    for name in ('1.png', '2.png'):
        write(tmp_path / name, 2, 7)
    formats = ('json', 'csv', 'pts')

    def run(names: list[str], **changes) -> None:
        sources = find_sources([str(tmp_path / name) for name in names])
        align_files(FakeAligner(), sources, Options(tmp_path / 'out', formats, **changes))  # type: ignore[arg-type]

    run(['1.png', '2.png'], save_images=True)
    with pytest.raises(FaceAlignError, match=r'other settings \(files\)'):
        run(['1.png'], settings=dict(files='b'))
    run(['1.png'], settings=dict(files='b'), restart=True)
    assert {path.name for path in (tmp_path / 'out').rglob('*.*') if path.name[0] != '.'} == {
        '1.pts',
        '1.2.pts',
        'landmarks.csv',
        'landmarks.json',
    }
    assert len(json.loads((tmp_path / 'out' / 'landmarks.json').read_text())['images']) == 1


def test_no_input_and_no_annotation_is_overwritten(tmp_path: Path) -> None:
    write(tmp_path / 'images' / '1.jpg', 1, 7)
    (tmp_path / 'images' / '1.pts').write_text('mine')
    before = (tmp_path / 'images' / '1.jpg').read_bytes()
    sources = find_sources([str(tmp_path / 'images' / '1.jpg')])
    for out, options in ((tmp_path, dict(save_images=True)), (tmp_path / 'images', dict(formats=('pts',)))):
        with pytest.raises(FaceAlignError, match='choose another --out'):
            align_files(FakeAligner(), sources, Options(out, **options))  # type: ignore[arg-type]
    assert (tmp_path / 'images' / '1.jpg').read_bytes() == before
    assert (tmp_path / 'images' / '1.pts').read_text() == 'mine'


def test_files_that_no_run_has_made_are_neither_replaced_nor_removed(tmp_path: Path) -> None:
    """A data set's folder as --out: its pictures lie where drawings would go, its annotations where points would."""
    image = tmp_path / 'a.jpg'
    write(image, 1, 7)
    write(tmp_path / 'images' / 'a.jpg', 1, 8)
    others = [tmp_path / name for name in ('a.pts', 'a.2.pts', 'a.npy', 'images/b.jpg', 'failures.csv', 'videos/a.mp4')]
    for path in others:
        path.parent.mkdir(exist_ok=True)
        path.write_text('mine')
    before = {path: path.read_bytes() for path in (*others, tmp_path / 'images' / 'a.jpg')}

    def run(names: list[str], *formats: str, **options) -> None:
        sources = find_sources([str(tmp_path / name) for name in names], tmp_path)
        align_files(FakeAligner(), sources, Options(tmp_path, formats or ('json',), **options))  # type: ignore[arg-type]
        assert {path: path.read_bytes() for path in before} == before

    run(['a.jpg'])
    run(['images/a.jpg'])
    write(image, 0, 9)
    run(['a.jpg'])
    for formats, options in ((['pts'], {}), (['npy'], {}), ([], dict(save_images=True))):
        with pytest.raises(FaceAlignError, match='is no result of an earlier run'):
            run(['a.jpg'], *formats, **options)
    run(['a.jpg'], restart=True, settings=dict(files='b'))
    image.write_text('no picture any more')
    (tmp_path / 'failures.csv').unlink()
    del before[tmp_path / 'failures.csv']
    run(['a.jpg'], settings=dict(files='b'))
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize('out', ['.', 'images', 'images/a'])
def test_an_annotation_below_the_results_folder_stays(tmp_path: Path, out: str) -> None:
    image = tmp_path / 'images' / 'a' / '1.png'
    write(image, 1, 7)
    image.with_suffix('.pts').write_text('mine')
    (tmp_path / 'list.txt').write_text('images/a/1.png')
    (tmp_path / 'images' / 'list.txt').write_text('a/1.png')
    listed = tmp_path / 'images' / 'list.txt' if out == 'images' else tmp_path / 'list.txt'
    source = image if out == 'images/a' else listed
    with pytest.raises(FaceAlignError, match='choose another --out'):
        align_files(FakeAligner(), find_sources([str(source)]), Options(tmp_path / out, ('pts',)))  # type: ignore[arg-type]
    assert image.with_suffix('.pts').read_text() == 'mine'


def test_a_folder_of_inputs_may_lie_in_that_of_the_results(tmp_path: Path) -> None:
    write(tmp_path / 'images' / '1.png', 1, 7)
    for _ in range(2):
        sources = find_sources([str(tmp_path / 'images')], tmp_path)
        align_files(FakeAligner(), sources, Options(tmp_path, ('json', 'pts')))  # type: ignore[arg-type]
    assert pairs_on_disk(tmp_path) == [(7, 0)]
    assert (tmp_path / 'images' / '1.png').exists()


@pytest.mark.parametrize('formats', [('pts',), ('npy', 'pts', 'json')])
def test_what_a_killed_run_left_of_an_input_goes_with_the_next_run(tmp_path: Path, formats: tuple[str, ...]) -> None:
    """Killed between an input's files and its entry in the journal, then run with other inputs."""
    for name in ('1.png', '2.png'):
        write(tmp_path / name, 2, int(name[0]))
    out = tmp_path / 'out'

    def run(name: str, killed: bool = False) -> None:
        with pytest.MonkeyPatch.context() as patch, suppress(Killed):
            if killed:
                patch.setattr(Journal, 'add', _die)
            align_files(FakeAligner(), find_sources([str(tmp_path / name)]), Options(out, formats, save_images=True))  # type: ignore[arg-type]

    run('1.png')
    write(tmp_path / '1.png', 3, 5)
    run('1.png', killed=True)
    assert (out / '1.3.pts').exists()
    run('2.png')
    assert pairs_on_disk(out) == [(2, 0), (2, 1)]
    assert [path.name for path in (out / 'images').iterdir()] == ['2.jpg']


def _die(*_: object) -> None:
    raise Killed
