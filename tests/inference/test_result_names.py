"""Names of results: never shared, whatever the inputs are called, and the same in every run."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facealign.inference.result_names import ResultNames, drawn_file, full_path
from facealign.inference.sources import find_sources

# Few parts, so that names meet: suffixes in stems, numbers of faces, cases, and composed and decomposed letters.
_PART = st.sampled_from(
    ['1', 'p', 'p.2', '1.jpg', '1.png', 'P', 'é', 'e\u0301', '1.pts', 'x.npy', 'images', '=1', '\x1b[1m']
)
_SUFFIX = st.sampled_from(['.jpg', '.JPG', '.png', '.mp4', '.webp', '', '.2', '.pts'])
_FILE = st.tuples(st.lists(_PART, max_size=2), _PART, _SUFFIX).map(lambda t: '/'.join([*t[0], t[1] + t[2]]))


def kind_of(name: str) -> str:
    return 'video' if name.lower().endswith('.mp4') else 'image'


def written(stem: str, kind: str) -> set[str]:
    """The paths of two faces' results, as a file system sees them that knows no case and one form of letters."""
    stems = [stem] if kind == 'image' else [f'{stem}/{frame:06d}' for frame in (0, 1)]
    files = [f'{one}{end}' for one in stems for end in ('.pts', '.2.pts', '.3.pts', '.npy')] + [drawn_file(stem, kind)]
    return {unicodedata.normalize('NFC', file).casefold() for file in files}


def above(files: set[str]) -> set[str]:
    return {'/'.join(file.split('/')[:count]) for file in files for count in range(1, file.count('/') + 1)}


def check(names: list[tuple[str, str, str]]) -> None:
    """No two inputs share a name, a file, or a file where the other has a folder."""
    assert len({unicodedata.normalize('NFC', name).casefold() for name, _, _ in names}) == len(names)
    all_files: set[str] = set()
    for _, stem, kind in names:
        files = written(stem, kind)
        assert not files & all_files, stem
        all_files |= files
        assert not os.path.isabs(stem) and '..' not in stem.split('/')
    assert not all_files & above(all_files)


@given(st.lists(st.tuples(st.sampled_from(['/a', '/b', '/b/c']), _FILE), max_size=12, unique=True))
def test_names_of_any_inputs_are_their_own(files: list[tuple[str, str]]) -> None:
    names = ResultNames()
    chosen = []
    for folder, name in files:
        kind = kind_of(name)
        chosen.append((*names.choose(name, f'{folder}/{name}', kind), kind))
    check(chosen)
    again = ResultNames()  # in two runs as in one: the second keeps what the first gave
    for name, stem, kind in chosen[: len(chosen) // 2]:
        again.keep(name, stem, kind)
    rest = list(zip(files, chosen))[len(chosen) // 2 :]
    assert [again.choose(name, f'{folder}/{name}', kind) for (folder, name), (*_, kind) in rest] == [
        (name, stem) for _, (name, stem, _) in rest
    ]


def make(folder: Path, names: list[str]) -> list[str]:
    """Files of these names, as far as they can be beside each other."""
    made = []
    for name in names:
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(exist_ok=False)
        except OSError:  # a file of that name, or a folder, is there
            continue
        made.append(name)
    return made


@settings(max_examples=60)
@given(st.lists(_FILE, max_size=10, unique=True))
def test_files_of_one_folder(tmp_path_factory: pytest.TempPathFactory, files: list[str]) -> None:
    folder = tmp_path_factory.mktemp('photos')
    (folder / 'any.jpg').touch()
    make(folder, files)
    check([(source.name, source.stem, source.kind) for source in find_sources([str(folder)])])


_PLAIN = st.sampled_from(['1', '2', 'p', 'p.2', '1.jpg', '1.png', 'é', '=1'])
_ENDS = st.sampled_from(['.jpg', '.png', '.mp4', '.webp'])


@settings(max_examples=60)
@given(st.lists(st.builds(str.__add__, _PLAIN, _ENDS), min_size=1, max_size=8, unique=True), st.data())
def test_a_file_s_results_do_not_depend_on_what_else_is_aligned(
    tmp_path_factory: pytest.TempPathFactory, files: list[str], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp('photos')
    make(folder, files)
    together = {source.key: source.stem for source in find_sources([str(folder)])}
    some = data.draw(st.lists(st.sampled_from(files), min_size=1, unique=True))
    for source in find_sources([str(folder / name) for name in some]):
        assert source.stem == together[source.key]


@pytest.mark.parametrize(
    ('names', 'stems'),
    [
        (['photo.jpg'], ['photo']),
        (['1.jpg', '1.png', '1.jpg.jpg'], ['1.jpg', '1.jpg.jpg', '1.png']),
        (['p.jpg', 'p.2.jpg'], ['p.2.jpg', 'p']),
        (['a/1.jpg', 'b/1.jpg'], ['a/1', 'b/1']),
        (['IMG_1.JPG', 'img_1.png'], ['IMG_1.JPG', 'img_1.png']),
        (['clip.mp4', 'clip/000001.jpg'], ['clip/000001', 'clip.mp4']),
        (['v1.5.jpg', '2023.10.05.jpg'], ['2023.10.05.jpg', 'v1.5.jpg']),
        (['x' * 246 + '.jpg'], None),
    ],
)
def test_what_the_help_says(tmp_path: Path, names: list[str], stems: list[str] | None) -> None:
    make(tmp_path, names)
    found = [source.stem for source in find_sources([str(tmp_path)])]
    if stems is not None:
        assert found == stems
    assert all(len(os.fsencode(part)) < 250 for stem in found for part in stem.split('/'))


def test_one_file_by_several_ways_is_one_and_a_link_is_its_own(tmp_path: Path) -> None:
    make(tmp_path, ['a/1.jpg'])
    (tmp_path / 'b').symlink_to('a')
    (tmp_path / 'a' / '2.jpg').symlink_to('1.jpg')
    names = [str(tmp_path / name) for name in ('a/1.jpg', 'a/../a/1.jpg', 'b/1.jpg', 'a/2.jpg')]
    assert [source.name for source in find_sources(names)] == ['1.jpg', '2.jpg']
    assert full_path(tmp_path / 'b' / '1.jpg', {}) == os.path.join(os.path.realpath(tmp_path / 'a'), '1.jpg')


def test_names_that_are_no_text_and_steer_terminals(tmp_path: Path) -> None:
    if os.name == 'nt':
        pytest.skip('such names cannot be there')
    folder = os.fsencode(tmp_path)
    for name in (b'caf\xe9.jpg', b'caf\\xe9.jpg', b'a\x1b[31mb.jpg', b'two\nlines.jpg'):
        try:
            open(os.path.join(folder, name), 'wb').close()
        except OSError:
            pytest.skip('this file system takes no such names')
    sources = find_sources([str(tmp_path)])
    check([(source.name, source.stem, source.kind) for source in sources])
    assert all(source.name.isprintable() and source.stem.isprintable() for source in sources)
    assert r'a\x1b[31mb.jpg' in [source.name for source in sources]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, ['a.jpg', 'locked/b.jpg'])
    scandir = os.scandir

    def refuse(path):
        if os.path.basename(os.fspath(path)) == 'locked':
            raise PermissionError(13, 'Permission denied', path)
        return scandir(path)

    monkeypatch.setattr(os, 'scandir', refuse)
    sources = find_sources([str(tmp_path)])
    assert [(source.name, source.kind) for source in sources] == [('a.jpg', 'image'), ('locked', 'folder')]
    assert 'cannot be listed (Permission denied)' in sources[1].reason
